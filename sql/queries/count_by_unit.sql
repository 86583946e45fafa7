-- Decisions by bucket and unit. $1 org, $2 first number, $3 number after the last, $4 the buckets' first numbers.
-- Leans on decisions_by_unit alone: from each unit to the next, and through its part of the range.
with recursive units as (
    (
        select e.unit_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided'
        order by e.unit_id
        limit 1
    )
    union all
    select next.unit_id
    from units
    cross join lateral (
        select e.unit_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.unit_id > units.unit_id
        order by e.unit_id
        limit 1
    ) as next
)
select counted.bucket, units.unit_id::text as value, counted.decisions
from units
cross join lateral (
    select width_bucket(e.seq, $4::bigint[]) as bucket, count(*) as decisions
    from ledger.events as e
    where e.org = $1 and e.type = 'booking.decided' and e.unit_id = units.unit_id and e.seq >= $2 and e.seq < $3
    group by 1
) as counted
