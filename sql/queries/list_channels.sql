-- The channels of an organization's decisions, null if some have none. $1 org. Leans on decisions_by_trait: from each to the next by one look into the index.
with recursive channels as (
    (
        select e.channel
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.channel is not null
        order by e.channel
        limit 1
    )
    union all
    select next.channel
    from channels
    cross join lateral (
        select e.channel
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.channel > channels.channel
        order by e.channel
        limit 1
    ) as next
)
(select channel from channels limit 50)
union all
-- In the index's order, or a scan of the whole table looks cheap: requests have no channel either, so that Postgres takes every other
-- decision for one without.
(
    select e.channel
    from ledger.events as e
    where e.org = $1 and e.type = 'booking.decided' and e.channel is null
    order by e.channel
    limit 1
)
