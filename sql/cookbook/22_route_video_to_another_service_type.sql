-- Video appointments get a service type of their own.
--
-- What it does: sets the service type of every booking with the channel Video. It must belong to the case's service category and support
-- the channel; the duration stays. All policies after it see the new service type, caps too.
-- To undo: delete from policy.rules where name = 'Video type';
insert into policy.rules (name, channel, set_service_type_id)
values ('Video type', 'Video', '5f0c2b1a-7d6e-4f3a-9b8c-1d2e3f4a5b6c');
