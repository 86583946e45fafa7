-- Use the customer's own contact details for reminders, whenever a customer is linked.
--
-- What it does: tells Cubu to use the customer's contact details for the case. Contact details that other rules set are then not sent.
-- To undo: delete from policy.rules where name = 'Customer''s contact details';
insert into policy.rules (name, condition, use_customer_contact_info)
values ('Customer''s contact details', $$customerRecordId != null$$, true);
