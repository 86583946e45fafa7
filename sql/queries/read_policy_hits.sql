-- Which decisions each policy took part in, a batch a row, in the order of the key.
-- $1 org. Leans on policy_hits_pkey.
select policy_kind, policy_id, verdict, mode, batch_seq, seqs
from ledger.policy_hits
where org = $1
order by org, policy_kind, policy_id, verdict, mode, batch_seq
