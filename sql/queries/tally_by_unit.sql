-- Counts the places in each bucket of a whole unit.
-- $1 org; $2–$13 one array a column of the buckets. Leans on reservations_by_unit: compared as a row, no other index fits.
select b.item::bigint as item, t.appointments, t.minutes
from unnest(
    $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::integer[], $7::text[], $8::text[],
    $9::date[], $10::date[], $11::integer[], $12::integer[], $13::integer[])
    with ordinality as b (
        service_id, unit_id, service_category_id, service_type_id, cu_index, channel, booked_by,
        date_from, date_until, from_minute, to_minute, weekdays, item)
cross join lateral (
    select count(*) as appointments, coalesce(sum(r.duration), 0)::bigint as minutes
    from ledger.reservations r
    where (r.unit_id, r.org, r.date) >= (b.unit_id, $1, b.date_from)
      and (r.unit_id, r.org, r.date) < (b.unit_id, $1, b.date_until)
      and (b.cu_index is null or r.cu_index = b.cu_index)
      and (b.service_id is null or r.service_id = b.service_id)
      and (b.service_category_id is null or r.service_category_id = b.service_category_id)
      and (b.service_type_id is null or r.service_type_id = b.service_type_id)
      and (b.channel is null or r.channel = b.channel)
      and (b.booked_by is null or r.booked_by = b.booked_by)
      and (b.from_minute is null or r.start_minute >= b.from_minute)
      and (b.to_minute is null or r.start_minute < b.to_minute)
      and (b.weekdays is null or b.weekdays & (1 << extract(isodow from r.date)::integer) <> 0)
) t
