-- Which decisions met which policies, of the batches that have any of a part of the ledger, a batch a row. $1 org, $2 first number, $3 last
-- number. Leans on policy_hits_by_batch; batches do not overlap, so that of each policy the decisions ascend, and that only the first of those
-- that end with the part or after it has any of the part.
select h.policy_kind, h.policy_id, h.verdict, h.mode, h.seqs
from ledger.policy_hits h
where h.org = $1
  and h.batch_seq >= $2
  and h.batch_seq <= coalesce((select min(l.batch_seq) from ledger.policy_hits l where l.org = $1 and l.batch_seq >= $3), $3)
order by h.batch_seq
