-- Blocklist rows that could match a batch of bookings. The core judges them (mode, scope, time, the exact match).
-- $1 org, $2 customers, $3 and $4 case fields and their values, trimmed and lower case.
-- Leans on customer_blocklist_by_customer and customer_blocklist_by_field. "offset 0" keeps each look-up a look-up by index,
-- whatever the table's statistics say: joined freely, the planner reads the whole list while it is small.
select b.id, row_to_json(b)::text as row
from unnest($2::uuid[]) as w (customer_record_id)
cross join lateral (
    select * from policy.customer_blocklist where org = $1 and customer_record_id = w.customer_record_id offset 0
) b
union all
select b.id, row_to_json(b)::text
from unnest($3::uuid[], $4::text[]) as w (field_type_id, match_key)
cross join lateral (
    select * from policy.customer_blocklist
    where org = $1 and field_type_id = w.field_type_id and policy.match_key(field_value) = w.match_key
    offset 0
) b
