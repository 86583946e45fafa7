-- Every row of one policy table, as the JSON that events carry. "policy_table" stands for the table's name: src/replay/verify.rs puts
-- there one after the other.
-- $1 org. Reads the table.
select p.id, row_to_json(p)::text as row from policy.policy_table p where p.org = $1
