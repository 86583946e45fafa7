-- A clock that each batch of about 200 decisions moves by what it would have taken at 8,000 a second, {speed} times over; only while
-- filling, when the one organization's writer is alone.
create or replace function ledger.clock()
returns timestamptz
language sql volatile
as $$
    select max(h.last_recorded_at) + interval '25 ms' * {speed} from ledger.heads h
$$;
