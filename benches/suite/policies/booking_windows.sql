-- Judges every booking.
insert into policy.booking_windows (org, name, min_notice_minutes, max_days_ahead)
select o.org, 'from two hours to a year ahead', 120, 366
from policy.organizations o;
