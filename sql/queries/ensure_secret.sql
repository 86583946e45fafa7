-- Adds a webhook secret unless the same is live. $1: org; $2: the secret. No row: it is. By webhook_secrets_by_org.
insert into access.webhook_secrets (org, secret, note)
select $1, $2, 'made by bookwarden dev'
where not exists (
    select
    from access.webhook_secrets
    where org = $1 and secret = $2 and (expires_at is null or expires_at > now())
)
returning id, note, session_user::text;
