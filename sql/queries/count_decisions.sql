-- Decisions in buckets of time, by one column; src/audit/stats.rs puts the column's expression for {group}.
-- $1 org, $2 first number, $3 number after the last, $4 bucket (hour, day or week), $5 IANA time zone.
-- Leans on events_pkey: reads every decision of the range.
select
    to_char(date_trunc($4, decided.recorded_at at time zone $5), 'YYYY-MM-DD"T"HH24:MI:SS') as bucket,
    {group} as value,
    count(*) as decisions
from ledger.events as decided
where decided.org = $1 and decided.seq >= $2 and decided.seq < $3 and decided.type = 'booking.decided'
group by 1, 2
order by 1, 2
