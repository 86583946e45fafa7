-- For each request: the place that its case holds, and the stored answer if the same request was answered before and that answer
-- still stands: an approval while its place is held, a refusal within the retry window.
-- $1 org, $2 case ids, $3 digests of the request bodies (as many), $4 refusals after this time stand.
-- Leans on reservations_pkey and events_by_case. "offset 0" keeps each look-up a look-up: joined freely, the planner reads every
-- reservation of the organization as long as the table's statistics are young.
select
    w.item::bigint as item,
    r.decision_seq, r.unit_id, r.service_id, r.service_category_id, r.service_type_id, r.cu_index,
    r.date, r.start_minute, r.duration, r.starts_at, r.channel, r.booked_by, r.customer_record_id,
    d.seq as answer_seq, d.payload as answer_payload
from unnest($2::uuid[], $3::bytea[]) with ordinality as w (case_id, digest, item)
left join lateral (
    select * from ledger.reservations where org = $1 and case_id = w.case_id offset 0
) r on true
left join lateral (
    select e.seq, e.payload
    from (
        -- With `offset 0` and this very condition on the type no other index fits: an audit index of all decisions, which the planner
        -- takes for tiny while a database is young, would be walked from end to end.
        select c.seq, c.type, c.payload, c.request_digest, c.outcome, c.recorded_at
        from ledger.events c
        where c.org = $1 and c.case_id = w.case_id and c.type <> 'booking.requested'
        offset 0
    ) e
    where e.type = 'booking.decided'
      and e.request_digest = w.digest
      and (e.seq = r.decision_seq or (e.outcome = 'cancelled' and e.recorded_at > $4))
    order by e.seq = r.decision_seq desc nulls last, e.seq desc
    limit 1
) d on true
