-- At the kiosk, whose screen others can read, the case is not linked to a customer.
--
-- What it does: unlinks the customer when nobody's agent booked and the case goes straight to the queue (status Waiting), which is how the
-- kiosk books here. Customer limits then no longer judge the booking. Together with recipe 25: let this one run first (a lower priority),
-- as it does not take back what an earlier rule said of the customer's contact details.
-- To undo: delete from policy.rules where name = 'Kiosk without customer';
insert into policy.rules (name, condition, remove_customer)
values ('Kiosk without customer', $$selfService && status == 'Waiting'$$, true);
