-- Policies act again.
--
-- What it does: ends the organization's shadow mode; each policy is as its own mode says. Bookings made meanwhile keep their places
-- and count.
-- To undo: 29_kill_switch_on.sql
begin;
set local bookwarden.reason = 'The wrong policy is mended';
update policy.organizations set mode = 'enforce' where org = 'default';
commit;
