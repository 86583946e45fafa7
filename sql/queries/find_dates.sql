-- The appointment dates of a range, each with its first and last decision within a range of the ledger (null: none).
-- $1 org, $2 from, $3 until (null: no bound), $4 first number, $5 number after the last, $6 at most so many dates, $7 and $8 whether the first
-- and the last are asked for.
-- Leans on decisions_by_date: from each date to the next by one look into the index, and two more into each.
with recursive dates as (
    (
        select e.appointment_date as date
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided'
            and e.appointment_date >= coalesce($2, '-infinity'::date) and e.appointment_date < coalesce($3, 'infinity'::date)
        order by e.appointment_date
        limit 1
    )
    union all
    select next.date
    from dates
    cross join lateral (
        select e.appointment_date as date
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided'
            and e.appointment_date > dates.date and e.appointment_date < coalesce($3, 'infinity'::date)
        order by e.appointment_date
        limit 1
    ) as next
), asked as (
    select date from dates limit $6
)
select asked.date, first.seq as first, last.seq as last
from asked
left join lateral (
    select e.seq
    from ledger.events as e
    where e.org = $1 and e.type = 'booking.decided' and e.appointment_date = asked.date and e.seq >= $4 and e.seq < $5
    order by e.seq
    limit 1
) as first on $7
left join lateral (
    select e.seq
    from ledger.events as e
    where e.org = $1 and e.type = 'booking.decided' and e.appointment_date = asked.date and e.seq >= $4 and e.seq < $5
    order by e.seq desc
    limit 1
) as last on $8
