-- How often the decisions of a part of the ledger met each policy, with which verdict, and when last: of what is not counted yet.
-- $1 org, $2 first number, $3 number after the last, $4 after which no batch has decisions of the part. Leans on policy_hits_by_batch.
select h.policy_kind, h.policy_id, h.verdict, h.mode, sum(n.met)::bigint, max(n.last)
from ledger.policy_hits h
cross join lateral (
    -- A batch that lies within the part is counted by its length.
    select
        case when h.seqs[1] >= $2 and h.batch_seq < $3 then cardinality(h.seqs)
             else (select count(*) from unnest(h.seqs) s where s >= $2 and s < $3) end as met,
        case when h.batch_seq < $3 then h.seqs[cardinality(h.seqs)]
             else (select max(s) from unnest(h.seqs) s where s < $3) end as last
    offset 0
) n
where h.org = $1 and h.batch_seq >= $2 and h.batch_seq < $4 and n.met > 0
group by h.policy_kind, h.policy_id, h.verdict, h.mode
