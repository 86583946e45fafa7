-- One decision, with the request that it answered.
-- $1 org, $2 the decision's ledger number. Leans on events_pkey, twice.
select
    decided.seq,
    decided.caused_by,
    decided.org,
    decided.case_id,
    decided.recorded_at,
    decided.outcome,
    decided.cancellation_reason,
    decided.customer_record_id,
    decided.unit_id,
    decided.service_id,
    decided.service_category_id,
    decided.service_type_id,
    decided.cu_index,
    decided.appointment_date,
    decided.start_minute,
    decided.duration,
    decided.channel,
    decided.booked_by,
    decided.triggered_by_user_email,
    decided.payload,
    requested.body as request_body
from ledger.events as decided
left join ledger.events as requested
    on requested.org = decided.org and requested.seq = decided.caused_by
where decided.org = $1
    and decided.seq = $2
    and decided.type = 'booking.decided'
