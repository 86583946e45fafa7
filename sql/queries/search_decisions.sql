-- Decisions of one organization, newest first; src/audit/search.rs appends the wished conditions, the order and the limit,
-- so that each combination of filters has a plan of its own.
-- $1 org, $2 ledger number: only older decisions. Leans on events_pkey read backwards, or on events_by_case with a case.
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
    decided.payload
from ledger.events as decided
where decided.org = $1
    and decided.type = 'booking.decided'
    and decided.seq < $2
