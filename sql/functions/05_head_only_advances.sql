-- A head never goes back: its numbers and its time only grow. The trigger itself compares (sql/triggers/ledger.sql), for it is asked with
-- every batch, and calling a function costs some forty microseconds of a lone booking.
create or replace function ledger.head_only_advances()
returns trigger
language plpgsql
as $$
begin
    raise exception 'the head of ledger % cannot go back from event %', old.org, old.last_seq
        using errcode = 'insufficient_privilege';
end
$$;
comment on function ledger.head_only_advances() is 'Trigger: refuses a head whose numbers or time would go back.';
