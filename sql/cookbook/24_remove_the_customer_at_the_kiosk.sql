-- At the kiosk, whose screen others can read, the case is not linked to a customer.
--
-- What it does: unlinks the customer when nobody's agent booked and the case goes straight to the queue (status Waiting), which is how the
-- kiosk books here. Customer limits then no longer judge the booking.
-- To undo: delete from policy.rules where name = 'Kiosk without customer';
insert into policy.rules (name, condition, remove_customer)
values ('Kiosk without customer', $$selfService && status == 'Waiting'$$, true);
