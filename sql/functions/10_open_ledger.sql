-- A new organization gets its ledger with its row.
create or replace function policy.open_ledger()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ledger.heads (org) values (new.org) on conflict (org) do nothing;
    return new;
end
$$;
comment on function policy.open_ledger() is 'Trigger: creates the ledger head of a new organization.';
