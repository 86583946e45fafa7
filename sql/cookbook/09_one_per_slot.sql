-- Never two appointments at the same start in the same calendar.
--
-- What it does: counts the appointments with the same service, date, calendar index and start; there may be one.
-- To undo: delete from policy.capacity_caps where name = 'One per slot';
insert into policy.capacity_caps (name, period, max_appointments, message)
values ('One per slot', 'slot', 1, 'This time was just taken.');
