-- The time of a ledger's events: the database's clock, so that all processes have the same. Everybody who decides or appends asks here;
-- examples/fill_ledger puts a quicker one in its place.
create or replace function ledger.clock()
returns timestamptz
language sql volatile
as $$
    select clock_timestamp()
$$;
comment on function ledger.clock() is 'The time of a ledger''s events: the database''s clock.';
