-- Closed at weekends, everywhere.
--
-- What it does: refuses bookings on Saturdays (6) and Sundays (7) of the appointment's date; Monday is 1. Where the weekend is Friday and
-- Saturday, write '{5,6}'.
-- To undo: delete from policy.blackouts where name = 'Weekend';
insert into policy.blackouts (name, weekdays, message)
values ('Weekend', '{6,7}', 'We are closed at the weekend.');
