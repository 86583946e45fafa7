-- Online and at the kiosk nothing less than 2 hours ahead; agents may.
--
-- What it does: refuses self-service bookings that start in less than 120 minutes from now. Without booked_by it would bind agents too.
-- To undo: delete from policy.booking_windows where name = '2 hours ahead';
insert into policy.booking_windows (name, booked_by, min_notice_minutes, message)
values ('2 hours ahead', 'self-service', 120, 'Please book at least two hours ahead, or call us.');
