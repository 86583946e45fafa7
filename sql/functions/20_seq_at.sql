-- Time as a ledger number: the first event at or after a time, else the number that the next event will have.
-- A binary search over the primary key, as time never runs backwards within a ledger: no index on time is needed.
create or replace function audit.seq_at(p_org text, p_time timestamptz)
returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    low    bigint := 1;
    high   bigint;
    middle bigint;
begin
    select h.last_seq + 1 into high from ledger.heads h where h.org = p_org;
    while low < high loop
        middle := (low + high) / 2;
        if (select e.recorded_at < p_time from ledger.events e where e.org = p_org and e.seq = middle) then
            low := middle + 1;
        else
            high := middle;
        end if;
    end loop;
    return high;
end
$$;
comment on function audit.seq_at(text, timestamptz) is 'The first ledger number at or after a time; past the newest event, the number that comes next. Null: no such organization.';
