-- The services for which a service type was booked. $1 org, $2 service type.
-- Leans on decisions_by_service_type: from each to the next by one look into the index.
with recursive services as (
    (
        select e.service_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.service_type_id = $2
        order by e.service_id
        limit 1
    )
    union all
    select next.service_id
    from services
    cross join lateral (
        select e.service_id
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.service_type_id = $2 and e.service_id > services.service_id
        order by e.service_id
        limit 1
    ) as next
)
select service_id from services
