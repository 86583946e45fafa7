-- One cap a service and one over all calendars: two judge each booking. None is ever reached: an approval is the dearest answer.
insert into policy.capacity_caps (org, name, service_id, max_appointments)
select o.org, 'service ' || n, ('5e410000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1000000
from policy.organizations o, generate_series(0, 999) as n;

insert into policy.capacity_caps (org, name, max_appointments)
select o.org, 'every calendar', 1000000
from policy.organizations o;
