-- Where batches end, as far as their decisions met policies; ascending.
-- $1 org. Leans on policy_hits_by_batch alone.
select distinct batch_seq
from ledger.policy_hits
where org = $1
order by batch_seq
