-- Append only, whoever asks: a trigger function that refuses.
create or replace function ledger.refuse_change()
returns trigger
language plpgsql
as $$
begin
    raise exception '%.% is append-only: % is refused', tg_table_schema, tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege',
              hint = 'Events are never changed. What happened later is a new event.';
end
$$;
comment on function ledger.refuse_change() is 'Trigger: refuses update, delete and truncate.';
