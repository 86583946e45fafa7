-- At most 4 hours of appointments a day in each calendar of one service.
--
-- What it does: adds up the durations of the day's appointments; a booking that would bring the sum over 240 minutes is refused.
-- To undo: delete from policy.capacity_caps where name = '4 hours a day';
insert into policy.capacity_caps (name, service_id, max_minutes, message)
values ('4 hours a day', '3031af97-328d-4df1-a528-cf198e4e7897', 240, 'Not enough time is left on this day.');
