-- A customer may have 2 upcoming appointments at once.
--
-- What it does: counts the customer's appointments that start now or later; a third is refused until one is over. Moving one of the two
-- is not a third. Bookings without a linked customer are not judged.
-- To undo: delete from policy.customer_limits where name = '2 upcoming';
insert into policy.customer_limits (name, max_appointments, message)
values ('2 upcoming', 2, 'You already have two appointments.');
