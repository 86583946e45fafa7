-- A head never goes back: its numbers and its time only grow.
create or replace function ledger.head_only_advances()
returns trigger
language plpgsql
as $$
begin
    if new.org <> old.org or new.last_seq < old.last_seq or new.policy_version < old.policy_version
       or new.last_recorded_at < old.last_recorded_at then
        raise exception 'the head of ledger % cannot go back from event %', old.org, old.last_seq
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
comment on function ledger.head_only_advances() is 'Trigger: a head''s numbers and time never go back.';
