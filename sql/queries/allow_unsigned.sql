-- Accepts unsigned webhook calls. $1: org. No row: no such organization. By the primary key.
insert into access.unsigned_webhooks (org)
select org
from policy.organizations
where org = $1
on conflict (org) do update set note = unsigned_webhooks.note
returning org;
