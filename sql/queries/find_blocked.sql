-- Blocklist rows that could match a batch of bookings. The core judges them (mode, scope, time, the exact match).
-- $1 org, $2 customers, $3 and $4 case fields and their values, trimmed and lower case.
-- Leans on customer_blocklist_by_customer and customer_blocklist_by_field.
select b.id, row_to_json(b)::text as row
from unnest($2::uuid[]) as w (customer_record_id)
join policy.customer_blocklist b on b.org = $1 and b.customer_record_id = w.customer_record_id
union all
select b.id, row_to_json(b)::text
from unnest($3::uuid[], $4::text[]) as w (field_type_id, match_key)
join policy.customer_blocklist b
  on b.org = $1 and b.field_type_id = w.field_type_id and policy.match_key(b.field_value) = w.match_key
