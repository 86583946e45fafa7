-- The organizations as an operator sees them. No binds. By webhook_secrets_by_org and unsigned_webhooks' primary key.
select
    o.org,
    o.mode,
    (
        select count(*)
        from access.webhook_secrets as s
        where s.org = o.org and (s.expires_at is null or s.expires_at > now())
    ) as live_secrets,
    exists (select from access.unsigned_webhooks as u where u.org = o.org) as accepts_unsigned
from policy.organizations as o
order by o.org;
