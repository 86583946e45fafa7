-- Who may call: webhook secrets and audit tokens.

create schema access;
comment on schema access is 'Secrets and tokens.';

create table access.webhook_secrets (
    id         bigint      generated always as identity primary key,
    org        text        not null,
    secret     text        not null constraint secret_is_not_empty check (secret <> ''),
    note       text,
    created_at timestamptz not null default now(),
    expires_at timestamptz
);
comment on table access.webhook_secrets is 'Secrets that sign webhook calls. Any number may be live at once, so that they can be rotated.';
comment on column access.webhook_secrets.id is 'The number by which the CLI and the ledger name the secret.';
comment on column access.webhook_secrets.org is 'The organization.';
comment on column access.webhook_secrets.secret is 'The secret: HMAC needs its text. Readable only by the service''s role.';
comment on column access.webhook_secrets.note is 'For operators.';
comment on column access.webhook_secrets.created_at is 'When it was added.';
comment on column access.webhook_secrets.expires_at is 'Accepted before this time; null: until expired.';
create index webhook_secrets_by_org on access.webhook_secrets (org);

create table access.unsigned_webhooks (
    org      text        primary key,
    since    timestamptz not null default now(),
    note     text
);
comment on table access.unsigned_webhooks is 'Organizations whose webhook calls are accepted without a signature (Cubu''s authorization method "None").';
comment on column access.unsigned_webhooks.org is 'The organization.';
comment on column access.unsigned_webhooks.since is 'When this was allowed.';
comment on column access.unsigned_webhooks.note is 'For operators.';

create table access.audit_tokens (
    id           bigint      generated always as identity primary key,
    org          text        not null,
    name         text        not null,
    role         text        not null constraint role_is_auditor_or_operator check (role in ('auditor', 'operator')),
    token_digest bytea       not null unique,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz,
    revoked_at   timestamptz
);
comment on table access.audit_tokens is 'Bearer tokens of the audit API; only their digest is kept.';
comment on column access.audit_tokens.id is 'The number by which the CLI names the token.';
comment on column access.audit_tokens.org is 'The one organization that the token opens.';
comment on column access.audit_tokens.name is 'Whose it is.';
comment on column access.audit_tokens.role is 'auditor or operator.';
comment on column access.audit_tokens.token_digest is 'SHA-256 of the token.';
comment on column access.audit_tokens.created_at is 'When it was made.';
comment on column access.audit_tokens.expires_at is 'Accepted before this time; null: until revoked.';
comment on column access.audit_tokens.revoked_at is 'When it was revoked; null: it was not.';
