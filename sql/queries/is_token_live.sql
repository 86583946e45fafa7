-- Whether an audit token is accepted. $1: its digest. By the unique index on token_digest.
select exists (
    select
    from access.audit_tokens
    where token_digest = $1 and revoked_at is null and (expires_at is null or expires_at > now())
);
