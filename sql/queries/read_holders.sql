-- The decisions that held the places of a bucket when another decision was made: approved before it, and neither moved nor freed before.
-- $1 org, $2 the other decision, $3 its case, $4 service, $5 unit, $6 service category, $7 service type, $8 cuIndex, $9 channel,
-- $10 booked_by, $11 first date, $12 date after the last, $13 from minute, $14 to minute, $15 ISO weekdays, $16 at most so many.
-- Leans on decisions_by_service or decisions_by_unit together with decisions_by_date, and on events_by_case.
select d.seq, d.case_id, d.recorded_at, d.appointment_date, d.cu_index, d.start_minute, d.duration
from ledger.events d
where d.org = $1
    and d.type = 'booking.decided'
    and d.outcome <> 'cancelled'
    and d.seq < $2
    and d.case_id <> $3
    and d.appointment_date >= $11 and d.appointment_date < $12
    and ($4::uuid is null or d.service_id = $4)
    and ($5::uuid is null or d.unit_id = $5)
    and ($6::uuid is null or d.service_category_id = $6)
    and ($7::uuid is null or d.service_type_id = $7)
    and ($8::integer is null or d.cu_index = $8)
    and ($9::text is null or d.channel = $9)
    and ($10::text is null or d.booked_by = $10)
    and ($13::integer is null or d.start_minute >= $13)
    and ($14::integer is null or d.start_minute < $14)
    and ($15::smallint[] is null or extract(isodow from d.appointment_date)::smallint = any ($15))
    and not exists (
        select
        from ledger.events later
        where later.org = $1
            and later.case_id = d.case_id
            and later.seq > d.seq and later.seq < $2
            and later.type <> 'booking.requested'
            and (later.type = 'booking.released'
                 or (later.type = 'booking.decided' and later.outcome <> 'cancelled'))
    )
order by d.seq
limit $16
