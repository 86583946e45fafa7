-- At COMMIT: takes the head of each organization whose policies changed, for the moment that the commit takes, numbers the staged
-- changes and appends them as policy.* events. From then on every decision sees them: whoever decides appends only
-- behind the head that it saw, or locks the head first.
create or replace function policy.append_changes()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    changed_by constant json := json_build_object(
        'user', session_user,
        'role', nullif(current_setting('role', true), 'none'),
        'application', nullif(current_setting('application_name'), ''),
        'address', host(inet_client_addr()),
        'transaction', pg_current_xact_id()::text,
        'reason', nullif(current_setting('bookwarden.reason', true), ''));
    head   record;
    change record;
    event  ledger.events;
begin
    if coalesce(current_setting('bookwarden.simulated', true), '') <> '' then
        raise exception 'a simulated change must not be committed'
            using errcode = 'feature_not_supported', hint = 'Leave out "set constraints all immediate", and whatever commits.';
    end if;
    -- "set constraints all immediate" would bring us here before the commit: then do not let the lock lie about.
    perform set_config('idle_in_transaction_session_timeout', '1s', true);
    perform set_config('statement_timeout', '1s', true);
    perform policy.gather_changes(new.transaction_id);

    -- Always in the order of the names, so that two transactions over the same organizations cannot deadlock.
    for head in
        select distinct org from policy.staged_changes where transaction_id = new.transaction_id order by org
    loop
        select l.last_seq, l.last_chain, l.now into event.seq, event.chain, event.recorded_at
        from ledger.lock_head(head.org) l;

        for change in
            select c.*, a.payload_digest as attachment_digest
            from policy.staged_changes c
            left join ledger.attachments a using (attachment_id)
            where c.transaction_id = new.transaction_id and c.org = head.org
            order by c.staged_id
        loop
            event.seq := event.seq + 1;
            event.type := 'policy.' || change.operation;
            event.salt := uuid_send(gen_random_uuid());
            if change.attachment_id is null then
                event.payload := json_build_object(
                    'version', 1, 'kind', change.kind, 'id', change.policy_id_from,
                    'old', change.old_row::json, 'new', change.new_row::json, 'changedBy', changed_by);
            else
                event.payload := json_build_object(
                    'version', 1, 'kind', change.kind, 'idFrom', change.policy_id_from, 'idTo', change.policy_id_to,
                    'rows', change.rows, 'attachment', change.attachment_id,
                    'attachmentDigest', encode(change.attachment_digest, 'hex'), 'changedBy', changed_by);
            end if;
            event.payload_digest := ledger.payload_digest(event.salt, event.payload);
            event.chain := ledger.chain(event.chain, event.payload_digest, head.org, event.seq, event.type, event.recorded_at, null);

            insert into ledger.events (
                org, seq, recorded_at, type, payload, salt, payload_digest, chain,
                policy_kind, policy_id_from, policy_id_to, attachment_id)
            values (
                head.org, event.seq, event.recorded_at, event.type, event.payload, event.salt, event.payload_digest, event.chain,
                change.kind, change.policy_id_from, change.policy_id_to, change.attachment_id);
        end loop;

        update ledger.heads h
        set last_seq = event.seq, last_chain = event.chain,
            last_recorded_at = event.recorded_at, policy_version = event.seq
        where h.org = head.org;
    end loop;

    delete from policy.staged_changes where transaction_id = new.transaction_id;
    delete from policy.staged_transactions where transaction_id = new.transaction_id;
    return null;
end
$$;
comment on function policy.append_changes() is 'Trigger, at commit: appends the transaction''s policy changes to the ledger and bumps the policy version.';
