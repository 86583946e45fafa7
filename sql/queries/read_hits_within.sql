-- Which decisions met which policies, of the batches that have any of a part of the ledger, a batch a row. $1 org, $2 first number, $3 after
-- which no batch has decisions of the part. Leans on policy_hits_by_batch; batches do not overlap, so that of each policy the decisions ascend.
select h.policy_kind, h.policy_id, h.verdict, h.mode, h.seqs
from ledger.policy_hits h
where h.org = $1 and h.batch_seq >= $2 and h.batch_seq < $3
order by h.batch_seq
