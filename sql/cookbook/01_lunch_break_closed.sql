-- Lunch break: nothing between 12:00 and 13:00 at one unit.
--
-- What it does: refuses every booking that has a minute in that hour, on every date. One that ends at 12:00 or starts at 13:00 is fine.
-- Minutes count from local midnight: 720 is 12:00, 780 is 13:00.
-- To undo: delete from policy.blackouts where name = 'Lunch break';
insert into policy.blackouts (name, unit_id, from_minute, to_minute, message)
values ('Lunch break', '6d1c9a52-7f0f-4b0c-9a57-3f2f4f1f2c11', 720, 780, 'We are at lunch from 12 to 1.');
