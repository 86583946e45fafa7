-- At most 8 appointments a day in each calendar of one service.
--
-- What it does: counts the appointments of the same service, date and calendar index, those from before this policy too, and refuses
-- the ninth. counted_per = 'service' would count all calendars of the service together, 'unit' the whole unit.
-- To undo: delete from policy.capacity_caps where name = '8 a day';
insert into policy.capacity_caps (name, service_id, max_appointments, message)
values ('8 a day', '3031af97-328d-4df1-a528-cf198e4e7897', 8, 'This day is full.');
