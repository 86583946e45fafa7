-- Rows of one policy table that belong to no ledger. "policy_table" stands for the table's name: src/replay/strays.rs puts there one
-- after the other.
-- $1 the organizations that have a ledger. Reads the table.
select p.org, p.id::text as key, row_to_json(p)::text as row from policy.policy_table p where p.org <> all ($1)
