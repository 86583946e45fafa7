-- At least 30 days between two appointments of a customer for the same service.
--
-- What it does: refuses a booking less than 43,200 minutes (30 days) before or after another appointment of the customer for that service.
-- The gap runs from the end of one to the start of the other: after one of 9:00 to 9:15, the next may be 30 days later at 9:15, not at 9:00.
-- To undo: delete from policy.customer_limits where name = '30 days apart';
insert into policy.customer_limits (name, service_id, gap_minutes, message)
values (
    '30 days apart', '3031af97-328d-4df1-a528-cf198e4e7897', 43200,
    'Please leave 30 days between two appointments.');
