-- What a batch has to know, in one round trip. `part` says what a row is; columns that a part has no use for are null.
--   0  one row: the database's clock, and the newest event when all of this was read, with its chain value.
--   1  cases: for each request, the place that its case holds, and the newest answer to the same request if it may stand: the approval
--      by which the place is held, else a refusal. Requests of which nothing is known have no row.
--   2  blocklist rows that could match. The core judges them (mode, scope, time, the exact match).
--   3  places of customers, each within the dates that the customer's limits look at.
--   4  buckets: how many places and minutes are in each.
-- A select of parts 2 to 4 that has nothing to look up is left out (src/decider/facts.rs).
-- $1 org; $2 case ids, $3 digests of their request bodies, null where only the place is asked for; $4 customers who may be blocked;
-- $5 and $6 case fields and their values as match keys; $7 customers with limits, $8 first dates, $9 dates after the last; $10 buckets,
-- each of one service or else of one unit.
-- Leans on heads_pkey, reservations_pkey, events_pkey, events_by_case, customer_blocklist_by_customer, customer_blocklist_by_field,
-- reservations_by_customer, reservations_by_calendar and reservations_by_unit, and is planned once, perhaps while the tables are empty, when every index looks as
-- good as every other. So no other may fit. `offset 0` keeps each look-up apart, with no more inside than the index's first column; the
-- organization is compared outside. Rows are compared as rows where an index has the columns in that order. Whatever the statistics say,
-- that leaves one look-up a key.
select
    0 as part, h.last_seq as item, null::uuid as case_id, null::bigint as decision_seq, null::uuid as unit_id, null::uuid as service_id,
    null::uuid as service_category_id, null::uuid as service_type_id, null::integer as cu_index, null::date as date,
    null::integer as start_minute, null::integer as duration, null::timestamptz as starts_at, null::text as channel,
    null::text as booked_by, null::uuid as customer_record_id, null::bigint as answer_seq, ledger.clock() as at,
    encode(h.last_chain, 'hex') as text, null::bigint as appointments, null::bigint as minutes
from ledger.heads h
where h.org = $1
union all
select
    1, w.item, w.case_id, r.decision_seq, r.unit_id, r.service_id,
    r.service_category_id, r.service_type_id, r.cu_index, r.date,
    r.start_minute, r.duration, r.starts_at, r.channel,
    r.booked_by, r.customer_record_id, coalesce(a.seq, d.seq), coalesce(a.recorded_at, d.recorded_at), coalesce(a.payload, d.payload),
    null, null
from unnest($2::uuid[], $3::bytea[]) with ordinality as w (case_id, digest, item)
left join lateral (
    select * from ledger.reservations where case_id = w.case_id offset 0
) r on r.org = $1
left join lateral (
    select e.seq, e.payload, e.recorded_at, e.request_digest from ledger.events e where e.org = $1 and e.seq = r.decision_seq offset 0
) a on a.request_digest = w.digest
left join lateral (
    -- The newest decision of the request, from the end: a case that is asked about again and again has an event for each time.
    select e.seq, e.payload, e.recorded_at, e.outcome
    from (
        -- This very condition on the type is that of the one index that fits, and this its order.
        select c.org, c.seq, c.type, c.payload, c.request_digest, c.outcome, c.recorded_at
        from ledger.events c
        where c.case_id = w.case_id and c.type <> 'booking.requested'
        order by c.org desc, c.seq desc
        offset 0
    ) e
    where a.seq is null
      and w.digest is not null
      and e.org = $1
      and e.type = 'booking.decided'
      and e.request_digest = w.digest
    limit 1
) d on d.outcome = 'cancelled'
where r.decision_seq is not null or d.seq is not null
union all
select
    2, b.id, null, null, null, null,
    null, null, null, null,
    null, null, null, null,
    null, null, null, null, b.row,
    null, null
from unnest($4::uuid[]) as w (customer_record_id)
cross join lateral (
    select b.id, b.org, row_to_json(b)::text as row
    from policy.customer_blocklist b
    where b.customer_record_id = w.customer_record_id
    offset 0
) b
where b.org = $1
union all
select
    2, b.id, null, null, null, null,
    null, null, null, null,
    null, null, null, null,
    null, null, null, null, b.row,
    null, null
from unnest($5::uuid[], $6::text[]) as w (field_type_id, match_key)
cross join lateral (
    select b.id, row_to_json(b)::text as row
    from policy.customer_blocklist b
    where b.org = $1 and b.field_type_id = w.field_type_id and policy.match_key(b.field_value) = w.match_key
    offset 0
) b
union all
select
    3, null, r.case_id, null, r.unit_id, r.service_id,
    r.service_category_id, r.service_type_id, r.cu_index, r.date,
    r.start_minute, r.duration, r.starts_at, r.channel,
    r.booked_by, r.customer_record_id, null, null, null,
    null, null
from unnest($7::uuid[], $8::date[], $9::date[]) as w (customer_record_id, date_from, date_until)
cross join lateral (
    select
        r.case_id, r.unit_id, r.service_id, r.service_category_id, r.service_type_id, r.cu_index,
        r.date, r.start_minute, r.duration, r.starts_at, r.channel, r.booked_by, r.customer_record_id
    from ledger.reservations r
    where r.customer_record_id is not null
      and (r.customer_record_id, r.org, r.date) >= (w.customer_record_id, $1, w.date_from)
      and (r.customer_record_id, r.org, r.date) < (w.customer_record_id, $1, w.date_until)
    offset 0
) r
union all
select
    4, b.item, null, null, null, null,
    null, null, null, null,
    null, null, null, null,
    null, null, null, null, null,
    t.appointments, t.minutes
from unnest($10::ledger.counted_bucket[]) with ordinality as b (
    service_id, unit_id, service_category_id, service_type_id, cu_index, channel, booked_by,
    date_from, date_until, from_minute, to_minute, weekdays, item)
cross join lateral (
    select count(*) as appointments, coalesce(sum(r.duration), 0)::bigint as minutes
    from ledger.reservations r
    -- Of a calendar's day, these are its entries alone, and not those of the service's other calendars.
    where (r.service_id, r.org, r.date, r.cu_index) >= (b.service_id, $1, b.date_from, coalesce(b.cu_index, -2147483648))
      and (r.service_id, r.org, r.date, r.cu_index) <= (b.service_id, $1, b.date_until - 1, coalesce(b.cu_index, 2147483647))
      and (b.cu_index is null or r.cu_index = b.cu_index)
      and (b.unit_id is null or r.unit_id = b.unit_id)
      and (b.service_category_id is null or r.service_category_id = b.service_category_id)
      and (b.service_type_id is null or r.service_type_id = b.service_type_id)
      and (b.channel is null or r.channel = b.channel)
      and (b.booked_by is null or r.booked_by = b.booked_by)
      and (b.from_minute is null or r.start_minute >= b.from_minute)
      and (b.to_minute is null or r.start_minute < b.to_minute)
      and (b.weekdays is null or b.weekdays & (1 << extract(isodow from r.date)::integer) <> 0)
) t
where b.service_id is not null
union all
select
    4, b.item, null, null, null, null,
    null, null, null, null,
    null, null, null, null,
    null, null, null, null, null,
    t.appointments, t.minutes
from unnest($10::ledger.counted_bucket[]) with ordinality as b (
    service_id, unit_id, service_category_id, service_type_id, cu_index, channel, booked_by,
    date_from, date_until, from_minute, to_minute, weekdays, item)
cross join lateral (
    select count(*) as appointments, coalesce(sum(r.duration), 0)::bigint as minutes
    from ledger.reservations r
    where (r.unit_id, r.org, r.date) >= (b.unit_id, $1, b.date_from)
      and (r.unit_id, r.org, r.date) < (b.unit_id, $1, b.date_until)
      and (b.cu_index is null or r.cu_index = b.cu_index)
      and (b.service_category_id is null or r.service_category_id = b.service_category_id)
      and (b.service_type_id is null or r.service_type_id = b.service_type_id)
      and (b.channel is null or r.channel = b.channel)
      and (b.booked_by is null or r.booked_by = b.booked_by)
      and (b.from_minute is null or r.start_minute >= b.from_minute)
      and (b.to_minute is null or r.start_minute < b.to_minute)
      and (b.weekdays is null or b.weekdays & (1 << extract(isodow from r.date)::integer) <> 0)
) t
where b.service_id is null
