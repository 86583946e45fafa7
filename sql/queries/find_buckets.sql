-- The buckets of time that a range of the ledger touches: how each is called by the clock of a time zone, and when it begins.
-- $1 org, $2 first number, $3 number after the last, $4 hour, day or week, $5 IANA time zone. Leans on events_pkey.
-- A day's midnight is one instant, but an hour's name may come twice when clocks are put back: hours are found in steps of 15 minutes, by
-- which time zones differ.
with ends as (
    select
        (select recorded_at from ledger.events where org = $1 and seq >= $2 and seq < $3 order by seq limit 1) as first,
        (select recorded_at from ledger.events where org = $1 and seq >= $2 and seq < $3 order by seq desc limit 1) as last
), buckets as (
    select starts at time zone $5 as starts_at, starts
    from ends
    cross join generate_series(date_trunc($4, first at time zone $5), last at time zone $5, ('1 ' || $4)::interval) as starts
    where $4 <> 'hour'
    union all
    select starts_at, starts
    from (
        select t as starts_at, date_trunc('hour', t at time zone $5) as starts, lag(date_trunc('hour', t at time zone $5)) over (order by t) as before
        from ends
        cross join generate_series(date_trunc('hour', first), last, interval '15 minutes') as t
        where $4 = 'hour'
    ) as quarters
    where starts is distinct from before
)
select
    coalesce(array_agg(to_char(starts, 'YYYY-MM-DD"T"HH24:MI:SS') order by starts_at), '{}') as starts,
    coalesce(array_agg(starts_at order by starts_at), '{}') as starts_at
from buckets
