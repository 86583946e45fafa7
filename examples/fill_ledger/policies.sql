-- 2,000 caps over 200 services, one over everything in shadow, 20,000 blocked customers, one of whom never comes.
insert into policy.capacity_caps (name, service_id, max_appointments, counted_per, period, message)
select 'service ' || s || ' calendar cap', md5('service' || s)::uuid, 20 + s % 20, 'calendar', 'day',
       'This day is full (' || s % 40 || '). Please choose another.'
from generate_series(0, 199) s
where not exists (select from policy.capacity_caps);
insert into policy.capacity_caps (name, max_minutes, counted_per, period, mode)
select 'units, in shadow', 20000, 'unit', 'week', 'shadow'
where not exists (select from policy.capacity_caps where name = 'units, in shadow');
insert into policy.capacity_caps (name, service_id, cu_index, max_appointments)
select 'never met ' || i, gen_random_uuid(), 1, 1 from generate_series(1, 1800) i
where not exists (select from policy.capacity_caps where name = 'never met 1');
insert into policy.customer_blocklist (customer_record_id, message)
select md5('customer' || i * 37)::uuid, 'Please call us before you book.' from generate_series(1, 20000) i
where not exists (select from policy.customer_blocklist);
