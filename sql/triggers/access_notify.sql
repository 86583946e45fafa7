-- Running servers hold secrets and tokens in memory; a committed change tells them to read again.
create or replace function access.notify_change() returns trigger
    language plpgsql
    set search_path = pg_catalog
as $$
begin
    perform pg_notify('bookwarden_access', '');
    return null;
end
$$;
comment on function access.notify_change() is 'Tells running servers that secrets or tokens changed.';

create or replace trigger notify_change
    after insert or update or delete or truncate on access.webhook_secrets
    for each statement execute function access.notify_change();

create or replace trigger notify_change
    after insert or update or delete or truncate on access.unsigned_webhooks
    for each statement execute function access.notify_change();

create or replace trigger notify_change
    after insert or update or delete or truncate on access.audit_tokens
    for each statement execute function access.notify_change();
