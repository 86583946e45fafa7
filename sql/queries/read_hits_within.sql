-- Which decisions of a range of the ledger met which policies, a batch a row. $1 org, $2 first number, $3 last number, $4 after which no
-- batch has decisions of the range.
-- Leans on policy_hits' primary key: from each policy, verdict and mode to the next, and through its part of the range.
with recursive kept as (
    (
        select h.policy_kind, h.policy_id, h.verdict, h.mode
        from ledger.policy_hits h
        where h.org = $1
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
select kept.policy_kind, kept.policy_id, kept.verdict, kept.mode, hits.seqs
from kept
cross join lateral (
    -- A batch may begin before the range, or end after it.
    select array(select s from unnest(h.seqs) s where s >= $2 and s <= $3) as seqs
    from ledger.policy_hits h
    where h.org = $1 and h.policy_kind = kept.policy_kind and h.policy_id = kept.policy_id
        and h.verdict = kept.verdict and h.mode = kept.mode
        and h.batch_seq >= $2 and h.batch_seq < $4
    order by h.batch_seq
) as hits
