-- Everything that is counted of an organization's decisions, range by range. $1 org. Leans on decision_counts_pkey, once a trait.
select c.counted_by, c.first_seq, c.last_seq, c.keys, c.decisions, c.newest, c.positions
from ledger.decision_counts c
where c.org = $1
order by c.counted_by, c.first_seq
