-- Counts of decisions of no ledger.
-- $1 the organizations that have a ledger. Reads the table.
select
    c.org, concat_ws(' ', c.counted_by, c.first_seq, 'to', c.last_seq) as key,
    json_build_object('keys', c.keys, 'decisions', c.decisions)::text as row
from ledger.decision_counts c
where c.org <> all ($1)
