-- Which case fields the blocklist looks at: a walk from each field to the next, not a scan.
-- $1 org. Leans on customer_blocklist_by_field.
with recursive field (field_type_id) as (
    (select b.field_type_id
     from policy.customer_blocklist b
     where b.org = $1 and b.field_type_id is not null
     order by b.field_type_id limit 1)
    union all
    select (select b.field_type_id
            from policy.customer_blocklist b
            where b.org = $1 and b.field_type_id > f.field_type_id
            order by b.field_type_id limit 1)
    from field f
    where f.field_type_id is not null
)
select field_type_id from field where field_type_id is not null
