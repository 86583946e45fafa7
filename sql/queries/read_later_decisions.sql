-- What the bookings of other processes did: the decisions between two numbers of a ledger, and the places that they took and gave back.
-- `part` says what a row is:
--   0  one row, if the first number's event is still the one with this chain value.
--   1  a place taken; columns that neither a count nor the look at a customer asks for are left out.
--   2  a place given back: by a later decision of the same case, or by a case that closed. It stands in the columns of the decision that had
--      taken it.
--   3  a decision whose payload was erased: whether it gave a place back cannot be told.
--   4  a refusal.
-- `seq` is the number of the event that did it.
-- $1 org, $2 the first number and $3 its chain value; $4 the last number. Leans on events_pkey alone: each look-up is kept apart
-- ("offset 0"), with no more inside than that index's columns.
with later as materialized (
    select e.*
    from (
        select
            l.seq, l.type, l.outcome, l.caused_by, l.payload, l.case_id, l.unit_id, l.service_id, l.service_category_id, l.service_type_id,
            l.cu_index, l.appointment_date, l.start_minute, l.duration, l.channel, l.booked_by, l.customer_record_id
        from ledger.events l
        where l.org = $1 and l.seq > $2 and l.seq <= $4
        offset 0
    ) e
    where e.type in ('booking.decided', 'booking.released')
)
select
    0 as part, null::bigint as seq, null::uuid as case_id, null::uuid as unit_id, null::uuid as service_id,
    null::uuid as service_category_id, null::uuid as service_type_id, null::integer as cu_index, null::date as date,
    null::integer as start_minute, null::integer as duration, null::text as channel, null::text as booked_by,
    null::uuid as customer_record_id
from (select k.chain from ledger.events k where k.org = $1 and k.seq = $2 offset 0) as known
where known.chain = $3
union all
select
    case when l.outcome = 'cancelled' then 4 when l.payload is null then 3 else 1 end, l.seq, l.case_id, l.unit_id, l.service_id,
    l.service_category_id, l.service_type_id, l.cu_index, l.appointment_date,
    l.start_minute, l.duration, l.channel, l.booked_by,
    l.customer_record_id
from later l
where l.type = 'booking.decided'
union all
select
    2, given_back.seq, d.case_id, d.unit_id, d.service_id,
    d.service_category_id, d.service_type_id, d.cu_index, d.appointment_date,
    d.start_minute, d.duration, d.channel, d.booked_by,
    d.customer_record_id
from (
    select
        l.seq,
        case
            when l.type = 'booking.released' then l.caused_by
            -- Not by reading JSON, which fails on what a case field may hold: \u0000, half of a surrogate pair, thousands of brackets.
            -- It stands within the first hundred bytes. Few are moves, and a pattern costs more than all the rest.
            when l.outcome <> 'cancelled' and strpos(left(l.payload, 100), ',"movedFrom":') > 0
                then substring(left(l.payload, 100) from '^\{"version":\d+,"policyVersion":\d+,"movedFrom":(\d+)')::bigint
        end as decision_seq
    from later l
) as given_back
cross join lateral (
    select
        e.case_id, e.unit_id, e.service_id, e.service_category_id, e.service_type_id, e.cu_index, e.appointment_date, e.start_minute,
        e.duration, e.channel, e.booked_by, e.customer_record_id
    from ledger.events e
    where e.org = $1 and e.seq = given_back.decision_seq
    offset 0
) as d
