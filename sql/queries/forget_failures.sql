-- Forgets the failures of policies that are gone or have other expressions now. No binds. Few rows; each look-up by the table's primary key.
delete from policy.failures f
where f.expressions is distinct from (
    select array_agg(e.expression order by e.part)
    from policy.expressions e
    where e.org = f.org and e.kind = f.kind and e.id = f.policy_id)
