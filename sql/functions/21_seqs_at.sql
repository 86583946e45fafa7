-- Many times as ledger numbers, as audit.seq_at: ascending times, each looked for from the one before, in steps that double and then
-- by halves, so that neighbours are found in neighbouring pages.
create or replace function audit.seqs_at(p_org text, p_times timestamptz[])
returns bigint[]
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    after  bigint;
    low    bigint := 1;
    high   bigint;
    middle bigint;
    step   bigint := 1;
    begun  bigint;
    sought timestamptz;
    found_at bigint[] := '{}';
begin
    select h.last_seq + 1 into after from ledger.heads h where h.org = p_org;
    foreach sought in array p_times loop
        begun := low;
        high := low;
        while high < after and (select e.recorded_at < sought from ledger.events e where e.org = p_org and e.seq = high) loop
            low := high + 1;
            high := high + step;
            step := step * 2;
        end loop;
        high := least(high, after);
        while low < high loop
            middle := (low + high) / 2;
            if (select e.recorded_at < sought from ledger.events e where e.org = p_org and e.seq = middle) then
                low := middle + 1;
            else
                high := middle;
            end if;
        end loop;
        found_at := found_at || low;
        -- The next is probably as far away.
        step := greatest((low - begun) / 2, 1);
    end loop;
    return found_at;
end
$$;
comment on function audit.seqs_at(text, timestamptz[]) is 'The first ledger number at or after each of ascending times.';
