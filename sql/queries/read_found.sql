-- The decisions of a search; src/audit/plan puts the search before it as "found" and the order after it.
-- Binds: those of the search. Leans on events_pkey.
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
from found
join ledger.events as decided on decided.seq = found.seq
