-- Judges every booking.
insert into policy.customer_limits (org, name, max_appointments, period)
select o.org, 'two upcoming bookings', 2, 'upcoming'
from policy.organizations o;
