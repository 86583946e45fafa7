-- Who comes by video cannot check in at the kiosk.
--
-- What it does: sets preventSelfCheckIn for bookings with the channel Video.
-- To undo: delete from policy.rules where name = 'Video: no check-in';
insert into policy.rules (name, channel, set_prevent_self_check_in)
values ('Video: no check-in', 'Video', true);
