-- The ranges of an organization's ledger whose decisions are counted. $1 org. Leans on decision_counts_pkey.
select distinct c.first_seq, c.last_seq
from ledger.decision_counts c
where c.org = $1
order by c.first_seq, c.last_seq
