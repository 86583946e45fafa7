-- Use the customer's own contact details for reminders, whenever a customer is linked.
--
-- What it does: tells Cubu to use the customer's contact details for the case. Contact details that other rules set are then not sent.
-- The condition leaves out cases without a customer; a rule that unlinks the customer, such as recipe 24, has to run before (a lower
-- priority), or Cubu is told both.
-- To undo: delete from policy.rules where name = 'Customer''s contact details';
insert into policy.rules (name, condition, use_customer_contact_info)
values ('Customer''s contact details', $$customerRecordId != null$$, true);
