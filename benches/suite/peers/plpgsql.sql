-- The peer inside the database: one call decides one booking, with the same tables and indexes as the ledger's, and does less:
-- its events have no common order (numbers come from a sequence), no chain and no salt, and nobody checks a signature.
create schema peer;
create table peer.events (like ledger.events including all);
create table peer.reservations (like ledger.reservations including all);
create sequence peer.event_numbers cache 100;

create function peer.decide(
    p_case_id uuid, p_unit_id uuid, p_service_id uuid, p_service_category_id uuid, p_service_type_id uuid, p_date date,
    p_cu_index integer, p_start integer, p_duration integer, p_customer_record_id uuid, p_phone text, p_body text)
returns text
language plpgsql
as $$
declare
    request_seq  bigint;
    decision_seq bigint;
    cap          record;
    v_used       bigint;
    v_policies   text := '';
    v_reason     text;
    v_response   text;
    v_digest     bytea := sha256(convert_to(p_body, 'UTF8'));
begin
    -- Whoever counts a calendar keeps others from it until the commit.
    perform pg_advisory_xact_lock(hashtextextended(p_service_id::text || p_date || p_cu_index, 0));

    if exists (select from policy.customer_blocklist b
               where b.org = 'default' and b.customer_record_id = p_customer_record_id and b.mode = 'enforce')
       or exists (select from policy.customer_blocklist b
                  where b.org = 'default' and b.field_type_id = '4848ba2d-a80a-4f3c-b170-578d19899e2f'
                    and policy.match_key(b.field_value) = policy.match_key(p_phone) and b.mode = 'enforce') then
        v_reason := 'This booking is not possible.';
    end if;

    for cap in
        select c.id, c.max_appointments
        from peer.caps c
        where c.org = 'default' and c.service_id = p_service_id
        union all
        select c.id, c.max_appointments
        from peer.caps c
        where c.org = 'default' and c.service_id is null
    loop
        if v_used is null then
            select count(*) into v_used
            from peer.reservations r
            where r.org = 'default' and r.service_id = p_service_id and r.date = p_date and r.cu_index = p_cu_index;
        end if;
        v_policies := v_policies || format(
            ',{"kind":"capacity_caps","id":%s,"name":null,"mode":"enforce","verdict":%s,"bucket":{"serviceId":"%s","cuIndex":%s,"from":"%s","until":"%s"},"used":%s,"max":%s}',
            cap.id, case when v_used < cap.max_appointments then '"allowed"' else '"refused"' end,
            p_service_id, p_cu_index, p_date, p_date + 1, v_used, cap.max_appointments);
        if v_used >= cap.max_appointments and v_reason is null then
            v_reason := 'No more appointments are available here.';
        end if;
    end loop;

    v_response := format(
        '{"fields":null,"tagIds":null,"removeCustomer":false,"customerRecordId":null,"useCustomerContactInfo":false,"contactPhoneNumber":null,"contactEmail":null,"serviceTypeId":null,"channel":null,"preventSelfCheckIn":null,"cancelled":%s,"cancellationReason":%s}',
        v_reason is not null, coalesce('"' || v_reason || '"', 'null'));
    request_seq := nextval('peer.event_numbers');
    decision_seq := nextval('peer.event_numbers');
    insert into peer.events (
        org, seq, recorded_at, type, caused_by, payload, body, salt, payload_digest, chain, case_id,
        request_digest, outcome, unit_id, service_id, service_category_id, service_type_id, cu_index, appointment_date, start_minute,
        duration, channel, booked_by, customer_record_id, cancellation_reason)
    values
        ('default', request_seq, now(), 'booking.requested', null, '{"version":2}', p_body, null,
         v_digest, v_digest, p_case_id, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
        ('default', decision_seq, now(), 'booking.decided', request_seq,
         '{"version":2,' || case when v_reason is null then '' else '"response":' || v_response || ',' end
             || '"policies":[' || substr(v_policies, 2) || ']}', null, null,
         v_digest, v_digest, p_case_id, v_digest, case when v_reason is null then 'approved' else 'cancelled' end,
         p_unit_id, p_service_id, p_service_category_id, p_service_type_id, p_cu_index, p_date, p_start, p_duration, 'FaceToFace', 'self-service',
         p_customer_record_id, v_reason);
    if v_reason is null then
        insert into peer.reservations (
            org, case_id, decision_seq, unit_id, service_id, service_category_id, service_type_id, cu_index, date,
            start_minute, duration, starts_at, channel, booked_by, customer_record_id)
        values (
            'default', p_case_id, decision_seq, p_unit_id, p_service_id, p_service_category_id, p_service_type_id, p_cu_index, p_date, p_start, p_duration,
            p_date + make_interval(mins => p_start), 'FaceToFace', 'self-service', p_customer_record_id);
    end if;
    return v_response;
end
$$;

-- The service's policy tables have no index by scope, because it keeps its caps in memory: the peers get one of their own.
create table peer.caps as select id, org, service_id, max_appointments from policy.capacity_caps;
create index on peer.caps (org, service_id);
analyze peer.caps;
