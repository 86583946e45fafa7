-- Lets a webhook secret expire; never prolongs it. $1: its number; $2: in how many seconds. No row: none such. By the primary key.
with before as (
    select id, expires_at
    from access.webhook_secrets
    where id = $1
    for update
)
update access.webhook_secrets s
set expires_at = least(s.expires_at, now() + make_interval(secs => $2))
from before b
where s.id = b.id
returning s.org, s.note, s.expires_at, s.expires_at is distinct from b.expires_at as is_new, session_user::text;
