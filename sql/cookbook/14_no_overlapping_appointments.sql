-- Nobody can be in two places: a customer's appointments must not overlap, whatever they are for.
--
-- What it does: refuses a booking that has a moment in common with another appointment of the customer; one may end when the next starts.
-- To undo: delete from policy.customer_limits where name = 'No overlap';
insert into policy.customer_limits (name, forbid_overlap, message)
values ('No overlap', true, 'You have another appointment at this time.');
