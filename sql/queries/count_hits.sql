-- How often the decisions of a part of the ledger met each policy, with which verdict, and when last: of what is not counted yet.
-- $1 org, $2 first number, $3 number after the last, $4 after which no batch has decisions of the part.
-- $5 whether that is much of the ledger: then the table is read as it lies, at once.
-- Leans on policy_hits' primary key: from each policy, verdict and mode to the next, and through its part of the range.
with recursive kept as (
    (
        select h.policy_kind, h.policy_id, h.verdict, h.mode
        from ledger.policy_hits h
        where h.org = $1 and not $5
        order by h.policy_kind, h.policy_id, h.verdict, h.mode
        limit 1
    )
    union all
    select next.*
    from kept
    cross join lateral (
        select h.policy_kind, h.policy_id, h.verdict, h.mode
        from ledger.policy_hits h
        where h.org = $1
            and (h.policy_kind, h.policy_id, h.verdict, h.mode) > (kept.policy_kind, kept.policy_id, kept.verdict, kept.mode)
        order by h.policy_kind, h.policy_id, h.verdict, h.mode
        limit 1
    ) as next
)
select kept.policy_kind, kept.policy_id, kept.verdict, kept.mode, n.met::bigint, n.last
from kept
cross join lateral (
    -- A batch that lies within the range is counted by its length.
    select
        sum(case when h.seqs[1] >= $2 and h.batch_seq < $3 then cardinality(h.seqs)
                 else (select count(*) from unnest(h.seqs) s where s >= $2 and s < $3) end) as met,
        max(case when h.batch_seq < $3 then h.seqs[cardinality(h.seqs)]
                 else (select max(s) from unnest(h.seqs) s where s < $3) end) as last
    from ledger.policy_hits h
    where h.org = $1 and h.policy_kind = kept.policy_kind and h.policy_id = kept.policy_id
        and h.verdict = kept.verdict and h.mode = kept.mode
        and h.batch_seq >= $2 and h.batch_seq < $4
) n
where not $5 and n.met > 0
union all
select h.policy_kind, h.policy_id, h.verdict, h.mode, sum(n.met)::bigint, max(n.last)
from ledger.policy_hits h
cross join lateral (
    select
        case when h.seqs[1] >= $2 and h.batch_seq < $3 then cardinality(h.seqs)
             else (select count(*) from unnest(h.seqs) s where s >= $2 and s < $3) end as met,
        case when h.batch_seq < $3 then h.seqs[cardinality(h.seqs)]
             else (select max(s) from unnest(h.seqs) s where s < $3) end as last
    offset 0
) n
where $5 and h.org = $1 and h.batch_seq >= $2 and h.batch_seq < $4 and n.met > 0
group by h.policy_kind, h.policy_id, h.verdict, h.mode
