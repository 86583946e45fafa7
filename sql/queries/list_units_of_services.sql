-- The units at which services were booked. $1 org, $2 services.
-- Leans on decisions_by_service: from each to the next by one look into the index.
with recursive places as (
    select w.service_id, first.unit_id
    from unnest($2::uuid[]) as w (service_id)
    cross join lateral (
        select e.unit_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.service_id = w.service_id
        order by e.unit_id
        limit 1
    ) as first
    union all
    select places.service_id, next.unit_id
    from places
    cross join lateral (
        select e.unit_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.service_id = places.service_id and e.unit_id > places.unit_id
        order by e.unit_id
        limit 1
    ) as next
)
select service_id, unit_id from places
