-- Lets a webhook secret expire; never prolongs it. $1: its number; $2: in how many seconds. By the primary key.
update access.webhook_secrets
set expires_at = least(expires_at, now() + make_interval(secs => $2))
where id = $1
returning org, note, expires_at, session_user::text;
