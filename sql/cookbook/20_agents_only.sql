-- One service is booked by agents only.
--
-- What it does: cancels self-service bookings of the service. A customer with a voucher in the case field may book all the same: that is
-- what the condition excepts.
-- To undo: delete from policy.rules where name = 'Agents only';
insert into policy.rules (name, service_id, booked_by, condition, cancel, message)
values (
    'Agents only', '3031af97-328d-4df1-a528-cf198e4e7897', 'self-service',
    $$fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'] != 'Voucher'$$, true, 'Please call us to book this service.');
