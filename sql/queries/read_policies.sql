-- Every policy row that the service keeps in memory, as the JSON that events carry.
-- $1 org.
select 'organizations' as kind, p.id, row_to_json(p)::text as row from policy.organizations p where p.org = $1
union all
select 'capacity_caps', p.id, row_to_json(p)::text from policy.capacity_caps p where p.org = $1
