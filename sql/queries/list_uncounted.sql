-- How far each organization's ledger is, and up to which number its decisions are counted. No binds.
-- Leans on decision_counts_pkey: a row of ledger.heads and the end of an index for each organization.
select h.org, h.last_seq, coalesce(counted.last_seq, 0) as counted
from ledger.heads h
left join lateral (
    select c.last_seq
    from ledger.decision_counts c
    where c.org = h.org and c.counted_by = 'outcome'
    order by c.first_seq desc
    limit 1
) as counted on true
order by h.org
