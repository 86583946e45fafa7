-- What read_events.sql reads in this transaction: $1 org, $2 from, $3 up to, $4 at most so many.
select
    set_config('bookwarden.events_of', $1, true),
    set_config('bookwarden.events_from', $2::bigint::text, true),
    set_config('bookwarden.events_to', $3::bigint::text, true),
    set_config('bookwarden.events_at_most', $4::bigint::text, true)
