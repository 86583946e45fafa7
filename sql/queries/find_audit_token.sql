-- The live audit token with this digest.
-- $1 SHA-256 of the token. Leans on audit_tokens_token_digest_key.
select
    id,
    org,
    name,
    role
from access.audit_tokens
where token_digest = $1
    and revoked_at is null
    and (expires_at is null or expires_at > now())
