-- The events that changed one policy: those of its row alone, by events_by_policy, and the bulk changes whose attachment has its
-- row, by events_by_bulk_change. Payloads are json, never jsonb: a text may hold \u0000, which jsonb refuses.
create or replace function audit.policy_event_seqs(p_org text, p_kind text, p_id bigint)
returns table (seq bigint)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select e.seq
    from ledger.events e
    where e.org = p_org and e.policy_kind = p_kind and e.policy_id_to = p_id and e.policy_id_from = p_id and e.attachment_id is null
    union all
    select e.seq
    from ledger.events e
    join ledger.attachments a using (attachment_id)
    where e.org = p_org and e.policy_kind = p_kind and e.policy_id_from <= p_id and e.policy_id_to >= p_id
      and exists (select from json_array_elements(a.payload::json) r where (r.value ->> 'id')::bigint = p_id)
$$;
comment on function audit.policy_event_seqs(text, text, bigint) is 'The ledger numbers of the events that changed one policy.';
