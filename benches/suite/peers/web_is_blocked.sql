select exists (
    select from policy.customer_blocklist b
    where b.org = 'default' and b.customer_record_id = $1 and b.mode = 'enforce'
) or exists (
    select from policy.customer_blocklist b
    where b.org = 'default' and b.field_type_id = '4848ba2d-a80a-4f3c-b170-578d19899e2f'
      and policy.match_key(b.field_value) = policy.match_key($2) and b.mode = 'enforce'
)
