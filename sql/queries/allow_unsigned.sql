-- Accepts unsigned webhook calls. $1: org. No row: no such organization. By the primary key.
-- Whether it is new: only a row that was there has been updated by somebody (xmax).
insert into access.unsigned_webhooks (org)
select org
from policy.organizations
where org = $1
on conflict (org) do update set note = unsigned_webhooks.note
returning xmax = 0 as is_new, session_user::text;
