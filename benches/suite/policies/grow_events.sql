-- Five million decisions of the past, each with its request, as rows of the real size; the chain is not kept up, because nothing
-- here reads it.
insert into ledger.events (
    org, seq, recorded_at, type, caused_by, payload, body, salt, payload_digest, chain, case_id, request_digest, outcome, unit_id,
    service_id, cu_index, appointment_date, start_minute, duration, channel, booked_by, customer_record_id)
select
    'default', h.last_seq + n, now() - interval '1 day',
    case when n % 2 = 1 then 'booking.requested' else 'booking.decided' end,
    case when n % 2 = 0 then h.last_seq + n - 1 end,
    case when n % 2 = 1 then '{"version":1,"action":"beforeBookAppointment"}' else repeat('{"version":1}', 50) end,
    case when n % 2 = 1 then repeat('x', 1250) end,
    uuid_send(gen_random_uuid()), d.digest, d.digest, md5(((n + 1) / 2)::text)::uuid,
    case when n % 2 = 0 then d.digest end,
    case when n % 2 = 0 then 'cancelled' end,
    case when n % 2 = 0 then md5((n % 100)::text)::uuid end,
    case when n % 2 = 0 then md5((n % 1000)::text)::uuid end,
    case when n % 2 = 0 then n % 10 end,
    case when n % 2 = 0 then current_date - 1 end,
    case when n % 2 = 0 then 600 end,
    case when n % 2 = 0 then 15 end,
    case when n % 2 = 0 then 'FaceToFace' end,
    case when n % 2 = 0 then 'self-service' end,
    case when n % 2 = 0 then gen_random_uuid() end
from ledger.heads h, generate_series(1, 10000000) as n, lateral (select sha256(int8send(n)) as digest) d
where h.org = 'default';

update ledger.heads set last_seq = last_seq + 10000000 where org = 'default';
