-- Keeps a new audit token's digest. $1: org; $2: name; $3: role; $4: digest; $5: seconds it lives, or null for ever.
-- No row: no such organization. Leans on policy.organizations' unique index.
insert into access.audit_tokens (org, name, role, token_digest, expires_at)
select org, $2, $3, $4, now() + make_interval(secs => $5)
from policy.organizations
where org = $1
returning id, expires_at, session_user::text;
