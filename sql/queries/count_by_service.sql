-- Decisions by bucket and service. $1 org, $2 first number, $3 number after the last, $4 the buckets' first numbers.
-- Leans on decisions_by_service alone: from each service and unit to the next, and through its part of the range.
with recursive places as (
    (
        select e.service_id, e.unit_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided'
        order by e.service_id, e.unit_id
        limit 1
    )
    union all
    select next.service_id, next.unit_id
    from places
    cross join lateral (
        select e.service_id, e.unit_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and (e.service_id, e.unit_id) > (places.service_id, places.unit_id)
        order by e.service_id, e.unit_id
        limit 1
    ) as next
)
select counted.bucket, places.service_id::text as value, counted.decisions
from places
cross join lateral (
    select width_bucket(e.seq, $4::bigint[]) as bucket, count(*) as decisions
    from ledger.events as e
    where e.org = $1 and e.type = 'booking.decided' and e.service_id = places.service_id and e.unit_id = places.unit_id
        and e.seq >= $2 and e.seq < $3
    group by 1
) as counted
