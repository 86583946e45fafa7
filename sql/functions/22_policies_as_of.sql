-- The policies of an organization as they were after a ledger number, from the ledger alone: the newest change of each row up to
-- then. Rows come as json, never jsonb: a text may hold \u0000, which jsonb refuses.
create or replace function audit.policies_as_of(p_org text, p_seq bigint, p_kinds text[])
returns table (policy_kind text, policy_id bigint, policy json, changed_seq bigint, changed_at timestamptz, changed_by json)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select newest.policy_kind, newest.policy_id, newest.policy, newest.seq, newest.recorded_at, newest.changed_by
    from (
        select distinct on (change.policy_kind, change.policy_id) change.*
        from (
            select e.policy_kind, e.policy_id_from as policy_id, e.payload::json -> 'new' as policy,
                   e.seq, 0::bigint as place, e.recorded_at, e.payload::json -> 'changedBy' as changed_by
            from ledger.events e
            where e.org = p_org and e.policy_kind is not null and e.seq <= p_seq and e.attachment_id is null
              and (p_kinds is null or e.policy_kind = any (p_kinds))
            union all
            select e.policy_kind, (r.value ->> 'id')::bigint, r.value -> 'new',
                   e.seq, r.place, e.recorded_at, e.payload::json -> 'changedBy'
            from ledger.events e
            join ledger.attachments a using (attachment_id)
            cross join json_array_elements(a.payload::json) with ordinality as r (value, place)
            where e.org = p_org and e.policy_kind is not null and e.seq <= p_seq
              and (p_kinds is null or e.policy_kind = any (p_kinds))
        ) as change
        -- A piece of very many statements may have the same row twice: the later counts.
        order by change.policy_kind, change.policy_id, change.seq desc, change.place desc
    ) as newest
    where json_typeof(newest.policy) = 'object'
$$;
comment on function audit.policies_as_of(text, bigint, text[]) is 'The same, of some kinds of policy only.';

create or replace function audit.policies_as_of(p_org text, p_seq bigint)
returns table (policy_kind text, policy_id bigint, policy json, changed_seq bigint, changed_at timestamptz, changed_by json)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select * from audit.policies_as_of(p_org, p_seq, null::text[])
$$;
comment on function audit.policies_as_of(text, bigint) is 'The policies in force after a ledger number, each with the change that made it so.';

create or replace function audit.policies_as_of(p_org text, p_time timestamptz)
returns table (policy_kind text, policy_id bigint, policy json, changed_seq bigint, changed_at timestamptz, changed_by json)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    -- What was recorded at that very time is in force.
    select * from audit.policies_as_of(p_org, audit.seq_at(p_org, p_time + interval '1 microsecond') - 1)
$$;
comment on function audit.policies_as_of(text, timestamptz) is 'The policies in force at a time, each with the change that made it so.';
