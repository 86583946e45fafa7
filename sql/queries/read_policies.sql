-- Every policy row that the service keeps in memory, as the JSON that events carry, and the ledger's head of the same snapshot. The
-- blocklist is looked up instead. An organization always has its own row.
-- $1 org. Leans on no index: it runs once a process and organization.
select h.policy_version, h.last_seq, h.last_chain, p.kind, p.id, p.row
from ledger.heads h
cross join (
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
) p
where h.org = $1
