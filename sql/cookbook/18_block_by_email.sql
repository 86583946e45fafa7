-- Block by e-mail address, whoever the case is linked to.
--
-- What it does: refuses bookings whose case field (here the e-mail field's field type) has this value; capitals and white space around it
-- do not matter. Many at once: one insert with many rows, or COPY; a million rows slow nothing down.
-- To undo: delete from policy.customer_blocklist where field_value = 'dana@example.com';
insert into policy.customer_blocklist (field_type_id, field_value, message)
values ('cd439a62-c78a-413f-bb42-cc4dd720375c', 'dana@example.com', 'Please call us to book.');
