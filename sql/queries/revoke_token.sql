-- Revokes an audit token. $1: its number. No row: none such, or revoked before. By the primary key.
update access.audit_tokens
set revoked_at = now()
where id = $1 and revoked_at is null
returning org, name, role, expires_at, session_user::text;
