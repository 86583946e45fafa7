-- Adds a webhook secret. $1: org; $2: the secret; $3: note. No row: no such organization.
-- Leans on policy.organizations' unique index.
insert into access.webhook_secrets (org, secret, note)
select org, $2, $3
from policy.organizations
where org = $1
returning id, note, session_user::text;
