-- What may be shown of the webhook secrets. $1: org, or null for all. By webhook_secrets_by_org.
select id, org, note, created_at, expires_at, expires_at is null or expires_at > now() as is_live
from access.webhook_secrets
where $1::text is null or org = $1
order by org, id;
