\set service random(0, 999)
\set cu_index random(0, 9)
\set start random(0, 95)
\set phone random(0, 99999999)
select peer.decide(
    gen_random_uuid(), ('04170000-0000-4000-8000-' || lpad(to_hex((:service / 10)::bigint), 12, '0'))::uuid,
    ('5e410000-0000-4000-8000-' || lpad(to_hex((:service)::bigint), 12, '0'))::uuid,
    current_date + 30, :cu_index, 480 + (:start)::integer * 5, 15, gen_random_uuid(), '+9725' || (:phone)::bigint, '{body}');
