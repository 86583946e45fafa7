-- What the projection says of policies of no ledger.
-- $1 the organizations that have a ledger. Reads the table.
select h.org, concat_ws(' ', h.policy_kind, h.policy_id, h.verdict, h.mode, 'batch', h.batch_seq) as key, row_to_json(h)::text as row
from ledger.policy_hits h
where h.org <> all ($1)
