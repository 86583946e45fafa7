-- Appends a batch, all in one statement: the head, the events, the places taken and freed, and the policies that were met. No row, and
-- nothing appended, if the head is no longer where the batch was decided: everybody who changes what decisions depend on moves the head.
-- A statement of its own waits here for whoever holds the head, and then looks at where it stands (READ COMMITTED: PostgreSQL manual,
-- "Transaction Isolation"). Nothing is written before that.
-- $1 org; $2 last_seq and $3 last_chain of the head that the batch follows: after a restore the number alone may be another event's;
-- $4 last_seq, $5 last_chain and $6 last_recorded_at of the head from now on; $7 the events; $8 cases whose place is freed; $9 the places
-- taken; $10 the policies that were met.
-- Leans on events_pkey, reservations_pkey, heads_pkey. One round trip and one row source a table is what makes a batch cheap, and one array
-- of rows each: 25 arrays side by side took Postgres 45 µs to unfold, one of rows 3.
-- A case that moves frees its place and takes another. The order of such parts is told by who reads whom (PostgreSQL manual,
-- "Data-Modifying Statements in WITH"): what is freed is counted before anything is taken. "on conflict" instead looks each case up twice
-- and logs each place twice.
-- Freed places are looked up one by one ("offset 0") and deleted by their position, which the head's lock keeps valid: a plain
-- "case_id = any ($8)" was planned as a walk over the organization's reservations, even with an empty array.
with head as (
    update ledger.heads h
    set last_seq = $4, last_chain = $5, last_recorded_at = $6
    where h.org = $1 and h.last_seq = $2 and h.last_chain = $3
    returning h.org
), appended as (
    insert into ledger.events (
        org, seq, recorded_at, type, caused_by, payload, body, salt, payload_digest, chain,
        case_id, request_digest, outcome, unit_id, service_id, service_category_id, service_type_id, cu_index,
        appointment_date, start_minute, duration, channel, booked_by, customer_record_id, triggered_by_user_email,
        cancellation_reason)
    select h.org, e.*
    from head h
    cross join unnest($7::ledger.new_event[]) as e
), freed as (
    delete from ledger.reservations
    where ctid = any (array(
        select r.position
        from head h
        cross join unnest($8::uuid[]) as w (case_id)
        cross join lateral (
            select ctid as position, org from ledger.reservations where case_id = w.case_id offset 0
        ) r
        where r.org = $1))
    returning 1
), taken as (
    insert into ledger.reservations (
        org, case_id, decision_seq, unit_id, service_id, service_category_id, service_type_id, cu_index,
        date, start_minute, duration, starts_at, channel, booked_by, customer_record_id)
    select h.org, p.*
    from head h
    cross join unnest($9::ledger.new_place[]) as p
    where (select count(*) from freed) >= 0
), met as (
    insert into ledger.policy_hits (org, policy_kind, policy_id, verdict, mode, batch_seq, seqs)
    select h.org, p.policy_kind, p.policy_id, p.verdict, p.mode, $4, p.seqs
    from head h
    cross join unnest($10::ledger.new_hits[]) as p
)
select from head
