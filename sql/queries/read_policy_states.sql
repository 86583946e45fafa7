-- Policies as they were after a ledger number, each with the change that made it so.
-- $1 org, $2 kinds, $3 ids (as many), $4 the number. Leans on events_by_policy, events_by_bulk_change.
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
cross join lateral (
    select s.seq from audit.policy_event_seqs($1, w.kind, w.id) s where s.seq <= $4 order by s.seq desc limit 1
) newest
join ledger.events e on e.org = $1 and e.seq = newest.seq
