-- Self-service may book 60 days ahead; agents further.
--
-- What it does: refuses self-service bookings whose date is more than 60 days from today (today where the booking is).
-- To undo: delete from policy.booking_windows where name = '60 days ahead';
insert into policy.booking_windows (name, booked_by, max_days_ahead, message)
values ('60 days ahead', 'self-service', 60, 'You can book up to 60 days ahead.');
