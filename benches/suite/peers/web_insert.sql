with numbers as materialized (
    select nextval('peer.event_numbers') as request_seq, nextval('peer.event_numbers') as decision_seq
), events as (
    insert into peer.events (
        org, seq, recorded_at, type, caused_by, payload, body, payload_digest, chain, case_id, request_digest, outcome, unit_id,
        service_id, service_category_id, service_type_id, cu_index, appointment_date, start_minute, duration, channel, booked_by,
        customer_record_id, cancellation_reason)
    select 'default', request_seq, now(), 'booking.requested', null, '{"version":2}', $2, $4, $4,
           $1, null, null, null::uuid, null::uuid, null::uuid, null::uuid, null::integer, null::date, null::integer, null::integer, null, null,
           null::uuid, null
    from numbers
    union all
    select 'default', decision_seq, now(), 'booking.decided', request_seq, $3, null, $4, $4,
           $1, $4, case when $5::text is null then 'approved' else 'cancelled' end, $6::uuid, $7::uuid, $14::uuid, $15::uuid, $8::integer, $9::date,
           $10::integer, $11::integer, $12, 'self-service', $13::uuid, $5
    from numbers
)
insert into peer.reservations (
    org, case_id, decision_seq, unit_id, service_id, service_category_id, service_type_id, cu_index, date, start_minute,
    duration, starts_at, channel, booked_by, customer_record_id)
select 'default', $1, decision_seq, $6, $7, $14, $15, $8, $9, $10, $11, $9 + make_interval(mins => $10), $12, 'self-service', $13
from numbers
where $5::text is null
