-- Mondays and Tuesdays before noon only half of the staff is there: at most 2 appointments in those hours.
--
-- What it does: judges and counts only appointments that start before 12:00 (minute 720) on a Monday (1) or Tuesday (2).
-- To undo: delete from policy.capacity_caps where name = 'Half staff';
insert into policy.capacity_caps (name, service_id, weekdays, to_minute, max_appointments, message)
values ('Half staff', '3031af97-328d-4df1-a528-cf198e4e7897', '{1,2}', 720, 2, 'Please choose a time after 12.');
