-- A million more.
insert into policy.customer_blocklist (customer_record_id)
select gen_random_uuid() from generate_series(1, 500000);

insert into policy.customer_blocklist (field_type_id, field_value)
select '4848ba2d-a80a-4f3c-b170-578d19899e2f', '+2' || lpad(n::text, 9, '0') from generate_series(1, 500000) as n;
