-- Rows of one policy table from an id on, by id, as the JSON that events carry. "policy_table" stands for the table's name:
-- src/replay/compare.rs puts there one after the other.
-- $1 org, $2 the first id, $3 at most so many. Leans on the table's primary key.
select p.id, row_to_json(p)::text as row from policy.policy_table p where p.org = $1 and p.id >= $2 order by p.id limit $3
