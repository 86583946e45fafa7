-- The places of a batch's customers, each within the dates that its customer's limits look at.
-- $1 org, $2 customers (each once), $3 first dates, $4 dates after the last (as many). Leans on reservations_by_customer; the lateral with
-- `offset 0` leaves no other plan than one look-up a customer, whatever the statistics say.
select r.*
from unnest($2::uuid[], $3::date[], $4::date[]) as w (customer_record_id, date_from, date_until)
cross join lateral (
    select
        r.case_id, r.unit_id, r.service_id, r.service_category_id, r.service_type_id, r.cu_index,
        r.date, r.start_minute, r.duration, r.starts_at, r.channel, r.booked_by, r.customer_record_id
    from ledger.reservations r
    where r.org = $1 and r.customer_record_id = w.customer_record_id and r.date >= w.date_from and r.date < w.date_until
    offset 0
) r
