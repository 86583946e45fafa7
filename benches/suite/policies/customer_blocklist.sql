-- Customers and phone numbers that no booking has: every booking is looked up, none is found.
insert into policy.customer_blocklist (org, customer_record_id)
select o.org, gen_random_uuid()
from policy.organizations o, generate_series(1, 1000);

insert into policy.customer_blocklist (org, field_type_id, field_value)
select o.org, '4848ba2d-a80a-4f3c-b170-578d19899e2f', '+1' || lpad(n::text, 9, '0')
from policy.organizations o, generate_series(1, 1000) as n;
