-- Blocklist rows that could match a batch of bookings. The core judges them (mode, scope, time, the exact match).
-- $1 org, $2 customers, $3 and $4 case fields and their values, trimmed and lower case.
-- Leans on customer_blocklist_by_customer and customer_blocklist_by_field. The laterals with `offset 0` leave no other plan than one
-- look-up a key: while a million rows are loaded there are no statistics yet, and a hash join would read all of them for each batch.
select b.id, b.row
from unnest($2::uuid[]) as w (customer_record_id)
cross join lateral (
    select b.id, row_to_json(b)::text as row
    from policy.customer_blocklist b
    where b.org = $1 and b.customer_record_id = w.customer_record_id
    offset 0
) b
union all
select b.id, b.row
from unnest($3::uuid[], $4::text[]) as w (field_type_id, match_key)
cross join lateral (
    select b.id, row_to_json(b)::text as row
    from policy.customer_blocklist b
    where b.org = $1 and b.field_type_id = w.field_type_id and policy.match_key(b.field_value) = w.match_key
    offset 0
) b
