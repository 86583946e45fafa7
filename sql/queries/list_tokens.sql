-- What may be shown of the audit tokens. $1: org, or null for all. Few rows; no index.
select
    id, org, name, role, created_at, expires_at,
    case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'live' end as state
from access.audit_tokens
where $1::text is null or org = $1
order by org, id;
