-- The decisions that held places of a bucket when another decision was made, and still hold them. They are all that did if they are as
-- many as that decision counted; `total` is how many there are, whatever the limit.
-- $1 org, $2 the other decision, $3 its case, $4 service, $5 unit, $6 service category, $7 service type, $8 cuIndex, $9 channel,
-- $10 booked_by, $11 first date, $12 date after the last, $13 from minute, $14 to minute, $15 ISO weekdays, $16 at most so many.
-- Leans on reservations_by_calendar or reservations_by_unit, and on events_pkey.
select h.seq, h.case_id, e.recorded_at, h.appointment_date, h.cu_index, h.start_minute, h.duration, h.total
from (
    select
        r.decision_seq as seq, r.case_id, r.date as appointment_date, r.cu_index, r.start_minute, r.duration, count(*) over () as total
    from ledger.reservations r
    where r.org = $1
        and r.decision_seq < $2
        and r.case_id <> $3
        and r.date >= $11 and r.date < $12
        and ($4::uuid is null or r.service_id = $4)
        and ($5::uuid is null or r.unit_id = $5)
        and ($6::uuid is null or r.service_category_id = $6)
        and ($7::uuid is null or r.service_type_id = $7)
        and ($8::integer is null or r.cu_index = $8)
        and ($9::text is null or r.channel = $9)
        and ($10::text is null or r.booked_by = $10)
        and ($13::integer is null or r.start_minute >= $13)
        and ($14::integer is null or r.start_minute < $14)
        and ($15::smallint[] is null or extract(isodow from r.date)::smallint = any ($15))
    order by r.decision_seq
    limit $16
) h
join ledger.events e on e.org = $1 and e.seq = h.seq
order by h.seq
