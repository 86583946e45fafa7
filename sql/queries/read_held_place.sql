-- The place that a case holds. $1 org, $2 case. Leans on reservations_pkey.
select
    decision_seq, unit_id, service_id, service_category_id, service_type_id, cu_index,
    date, start_minute, duration, channel, booked_by, customer_record_id
from ledger.reservations
where org = $1 and case_id = $2
