-- The changes of one policy, newest first.
-- $1 org, $2 kind, $3 id, $4 only before this number, $5 at most so many. Leans on events_by_policy, events_by_bulk_change.
select
    e.seq,
    e.recorded_at,
    e.type,
    (e.payload::json -> 'changedBy')::text as changed_by,
    case when e.attachment_id is null then e.payload::json -> 'old' else piece.old_row end::text as old_row,
    case when e.attachment_id is null then e.payload::json -> 'new' else piece.new_row end::text as new_row
from audit.policy_event_seqs($1, $2, $3) s
join ledger.events e on e.org = $1 and e.seq = s.seq
left join lateral (
    -- A piece of very many statements may have the same row twice: from what the first found to what the last left.
    select
        (array_agg(r.value -> 'old' order by r.place))[1] as old_row,
        (array_agg(r.value -> 'new' order by r.place desc))[1] as new_row
    from ledger.attachments a
    cross join json_array_elements(a.payload::json) with ordinality as r (value, place)
    where a.attachment_id = e.attachment_id and (r.value ->> 'id')::bigint = $3
) piece on true
where s.seq < $4
order by s.seq desc
limit $5
