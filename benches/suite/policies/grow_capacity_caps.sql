-- Ten for each of 10,000 services; 1,000 of those are the ones that get bookings, and ten more caps judge each of these.
insert into policy.capacity_caps (service_id, cu_index, max_appointments)
select ('5e410000-0000-4000-8000-' || lpad(to_hex(n / 10), 12, '0'))::uuid, n % 10, 1000000
from generate_series(0, 99999) as n;
