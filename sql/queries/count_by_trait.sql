-- Decisions by bucket and outcome, channel or booker. $1 org, $2 first number, $3 number after the last, $4 the buckets' first
-- numbers, $5 outcome, channel or bookedBy, $6 the organization's channels (null: none).
-- Leans on decisions_by_trait alone: through each combination's part of the range.
select counted.bucket, case $5 when 'outcome' then o.outcome when 'channel' then c.channel else b.booked_by end as value, counted.decisions
from unnest($6::text[]) as c (channel)
cross join unnest(array['approved', 'modified', 'cancelled']) as o (outcome)
cross join unnest(array['agent', 'self-service']) as b (booked_by)
cross join lateral (
    select width_bucket(e.seq, $4::bigint[]) as bucket, count(*) as decisions
    from ledger.events as e
    where e.org = $1 and e.type = 'booking.decided' and e.channel = c.channel and e.outcome = o.outcome and e.booked_by = b.booked_by
        and e.seq >= $2 and e.seq < $3
    group by 1
    union all
    select width_bucket(e.seq, $4::bigint[]), count(*)
    from ledger.events as e
    where c.channel is null
        and e.org = $1 and e.type = 'booking.decided' and e.channel is null and e.outcome = o.outcome and e.booked_by = b.booked_by
        and e.seq >= $2 and e.seq < $3
    group by 1
) as counted
