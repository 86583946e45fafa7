-- Append only: the database refuses, whoever asks.
create or replace trigger events_append_only
    before update or delete or truncate on ledger.events
    for each statement execute function ledger.refuse_change();
create or replace trigger attachments_append_only
    before update or delete or truncate on ledger.attachments
    for each statement execute function ledger.refuse_change();
create or replace trigger heads_stay
    before delete or truncate on ledger.heads
    for each statement execute function ledger.refuse_change();
create or replace trigger heads_only_advance
    before update on ledger.heads
    for each row
    when (
        new.org <> old.org or new.last_seq < old.last_seq or new.policy_version < old.policy_version
        or new.last_recorded_at < old.last_recorded_at)
    execute function ledger.head_only_advances();
