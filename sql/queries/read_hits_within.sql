-- Which decisions of a part of the ledger met which policies, a batch a row. $1 org, $2 first number, $3 last number, $4 after which no
-- batch has decisions of the part. Leans on policy_hits_by_batch; batches do not overlap, so that of each policy the decisions ascend.
select h.policy_kind, h.policy_id, h.verdict, h.mode, array(select s from unnest(h.seqs) s where s >= $2 and s <= $3) as seqs
from ledger.policy_hits h
where h.org = $1 and h.batch_seq >= $2 and h.batch_seq < $4
order by h.batch_seq
