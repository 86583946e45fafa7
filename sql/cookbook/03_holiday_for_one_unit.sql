-- A holiday that only one unit has.
--
-- What it does: refuses bookings at that unit on that date; other units stay open. For several days add to_date, which is itself closed.
-- To undo: delete from policy.blackouts where name = 'Town festival 2027';
insert into policy.blackouts (name, unit_id, from_date, message)
values ('Town festival 2027', '6d1c9a52-7f0f-4b0c-9a57-3f2f4f1f2c11', '2027-03-09', 'Closed for the town festival.');
