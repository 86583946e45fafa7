-- One calendar ends: nobody may book it from a date on.
--
-- What it does: refuses bookings in calendar 0 of one service from 1 March 2027 on. A calendar's index means something only together
-- with its service, so both are given.
-- To undo: delete from policy.blackouts where name = 'Room 0 is being rebuilt';
insert into policy.blackouts (name, service_id, cu_index, from_date, to_date, message)
values (
    'Room 0 is being rebuilt', '3031af97-328d-4df1-a528-cf198e4e7897', 0, '2027-03-01', '9999-12-31',
    'This room is closed from March on; please choose another.');
