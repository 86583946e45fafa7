-- Something is wrong with the policies: stop them all, now.
--
-- What it does: puts every policy of the organization into shadow. They are evaluated and recorded, and change and refuse nothing. The
-- reason goes on record with the change.
-- To undo: 30_kill_switch_off.sql
begin;
set local bookwarden.reason = 'Wrong refusals since this morning; all policies stopped until we know why';
update policy.organizations set mode = 'shadow' where org = 'default';
commit;
