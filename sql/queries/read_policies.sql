-- Every policy row that the service keeps in memory, as the JSON that events carry. The blocklist is looked up instead.
-- $1 org. Leans on no index: it runs once a process and organization.
select 'organizations' as kind, p.id, row_to_json(p)::text as row from policy.organizations p where p.org = $1
union all
select 'rules', p.id, row_to_json(p)::text from policy.rules p where p.org = $1
union all
select 'blackouts', p.id, row_to_json(p)::text from policy.blackouts p where p.org = $1
union all
select 'booking_windows', p.id, row_to_json(p)::text from policy.booking_windows p where p.org = $1
union all
select 'customer_limits', p.id, row_to_json(p)::text from policy.customer_limits p where p.org = $1
union all
select 'capacity_caps', p.id, row_to_json(p)::text from policy.capacity_caps p where p.org = $1
