\set service random(0, 999)
\set cu_index random(0, 9)
\set start random(0, 95)
\set phone random(0, 99999999)
select peer.decide(
    gen_random_uuid(), ('04170000-0000-4000-8000-' || lpad(to_hex((:service / 10)::bigint), 12, '0'))::uuid,
    ('5e410000-0000-4000-8000-' || lpad(to_hex((:service)::bigint), 12, '0'))::uuid,
    'ef023335-f091-4e97-9fa3-3076bac3309b', '108165ca-8277-4284-a073-432b6d20219c',
    current_date + 30, :cu_index, 480 + (:start)::integer * 5, 15, gen_random_uuid(), '+9725' || (:phone)::bigint, '{body}');
