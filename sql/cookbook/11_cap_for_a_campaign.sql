-- During a campaign of two weeks: at most 2 appointments a day in each calendar.
--
-- What it does: is in force for bookings made from now on for 14 days, whatever date they are for, and ends by itself. What was booked
-- before counts.
-- To undo early: delete from policy.capacity_caps where name = 'Campaign';
insert into policy.capacity_caps (name, max_appointments, active_from, active_until, message)
values ('Campaign', 2, now(), now() + interval '14 days', 'Sold out for this day.');
