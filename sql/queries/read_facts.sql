-- What a batch has to know, in one round trip. `part` says what a row is; columns that a part has no use for are null.
--   0  one row: the database's clock.
--   1  cases: for each request, the place that its case holds, and the newest answer to the same request that may stand: the approval
--      by which the place is held, else a refusal. Requests of which nothing is known have no row.
--   2  blocklist rows that could match. The core judges them (mode, scope, time, the exact match).
--   3  places of customers, each within the dates that the customer's limits look at.
-- $1 org; $2 case ids, $3 digests of their request bodies; $4 customers who may be blocked; $5 and $6 case fields and their values as match
-- keys; $7 customers with limits, $8 first dates, $9 dates after the last.
-- Leans on reservations_pkey, events_by_case, customer_blocklist_by_customer, customer_blocklist_by_field and reservations_by_customer, and
-- is planned once, perhaps while the tables are empty, when every index looks as good as every other. So no other may fit. `offset 0` keeps
-- each look-up apart, with no more inside than the index's first column; the organization is compared outside. Rows are compared as rows
-- where an index has the columns in that order. Whatever the statistics say, that leaves one look-up a key.
select
    0 as part, null::bigint as item, null::uuid as case_id, null::bigint as decision_seq, null::uuid as unit_id, null::uuid as service_id,
    null::uuid as service_category_id, null::uuid as service_type_id, null::integer as cu_index, null::date as date,
    null::integer as start_minute, null::integer as duration, null::timestamptz as starts_at, null::text as channel,
    null::text as booked_by, null::uuid as customer_record_id, null::bigint as answer_seq, ledger.clock() as at, null::text as text
union all
select
    1, w.item, w.case_id, r.decision_seq, r.unit_id, r.service_id,
    r.service_category_id, r.service_type_id, r.cu_index, r.date,
    r.start_minute, r.duration, r.starts_at, r.channel,
    r.booked_by, r.customer_record_id, d.seq, d.recorded_at, d.payload
from unnest($2::uuid[], $3::bytea[]) with ordinality as w (case_id, digest, item)
left join lateral (
    select * from ledger.reservations where case_id = w.case_id offset 0
) r on r.org = $1
left join lateral (
    select e.seq, e.payload, e.recorded_at
    from (
        -- This very condition on the type is that of the one index that fits.
        select c.org, c.seq, c.type, c.payload, c.request_digest, c.outcome, c.recorded_at
        from ledger.events c
        where c.case_id = w.case_id and c.type <> 'booking.requested'
        offset 0
    ) e
    where e.org = $1
      and e.type = 'booking.decided'
      and e.request_digest = w.digest
      and (e.seq = r.decision_seq or e.outcome = 'cancelled')
    order by e.seq = r.decision_seq desc nulls last, e.seq desc
    limit 1
) d on true
where r.decision_seq is not null or d.seq is not null
union all
select
    2, b.id, null, null, null, null,
    null, null, null, null,
    null, null, null, null,
    null, null, null, null, b.row
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
    null, null, null, null, b.row
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
    r.booked_by, r.customer_record_id, null, null, null
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
