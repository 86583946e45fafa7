-- Every place that an organization's cases hold.
-- $1 org. Leans on reservations_pkey, also for the order.
select
    case_id, decision_seq, unit_id, service_id, service_category_id, service_type_id, cu_index,
    date, start_minute, duration, starts_at, channel, booked_by, customer_record_id
from ledger.reservations
where org = $1
order by case_id
