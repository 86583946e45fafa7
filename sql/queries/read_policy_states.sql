-- Policies as they were after a ledger number, each with the change that made it so.
-- $1 org, $2 kinds, $3 ids (as many), $4 the number. Leans on events_by_policy, events_by_bulk_change. A bulk change is read whole to see
-- whether it has the row, so they are asked from the newest one down to the newest change of that row alone, and "offset 0" keeps that
-- question apart.
select
    w.item::bigint as item,
    e.seq,
    e.recorded_at,
    e.type,
    (e.payload::json -> 'changedBy')::text as changed_by,
    case
        when e.attachment_id is null then e.payload::json -> 'new'
        else (
            -- A piece of very many statements may have the same row twice: the later counts.
            select r.value -> 'new'
            from ledger.attachments a
            cross join json_array_elements(a.payload::json) with ordinality as r (value, place)
            where a.attachment_id = e.attachment_id and (r.value ->> 'id')::bigint = w.id
            order by r.place desc
            limit 1
        )
    end::text as policy
from unnest($2::text[], $3::bigint[]) with ordinality as w (kind, id, item)
left join lateral (
    select c.seq
    from ledger.events c
    where c.org = $1 and c.policy_kind = w.kind and c.policy_id_to = w.id and c.policy_id_from = w.id
        and c.attachment_id is null
        and c.seq <= $4
    order by c.seq desc
    limit 1
) alone on true
left join lateral (
    select c.seq
    from ledger.events c
    where c.org = $1 and c.policy_kind = w.kind and c.policy_id_from <= w.id and c.policy_id_to >= w.id
        and c.attachment_id is not null
        and c.seq <= $4 and c.seq > coalesce(alone.seq, 0)
        and exists (
            select
            from ledger.attachments a
            cross join json_array_elements(a.payload::json) r
            where a.attachment_id = c.attachment_id and (r.value ->> 'id')::bigint = w.id
            offset 0
        )
    order by c.seq desc
    limit 1
) bulk on true
join ledger.events e on e.org = $1 and e.seq = coalesce(bulk.seq, alone.seq)
