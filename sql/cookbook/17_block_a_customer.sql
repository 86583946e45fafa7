-- Block one customer for half a year.
--
-- What it does: refuses every booking that is linked to this customer record, for 6 months from now.
-- To undo: delete from policy.customer_blocklist where customer_record_id = '9f86d081-884c-4d63-a1e2-2d1c3b4a5f60';
insert into policy.customer_blocklist (name, customer_record_id, active_until, message, note)
values (
    'Missed three times', '9f86d081-884c-4d63-a1e2-2d1c3b4a5f60', now() + interval '6 months',
    'Please call us to book.', 'Decided by the branch manager.');
