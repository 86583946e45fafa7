-- The changes of one policy, newest first.
-- $1 org, $2 kind, $3 id, $4 only before this number, $5 at most so many. Leans on events_by_policy, events_by_bulk_change.
select
    e.seq,
    e.recorded_at,
    e.type,
    (e.payload::json -> 'changedBy')::text as changed_by,
    case when e.attachment_id is null then e.payload::json -> 'old' else piece.value -> 'old' end::text as old_row,
    case when e.attachment_id is null then e.payload::json -> 'new' else piece.value -> 'new' end::text as new_row
from audit.policy_event_seqs($1, $2, $3) s
join ledger.events e on e.org = $1 and e.seq = s.seq
left join lateral (
    select r.value
    from ledger.attachments a
    cross join json_array_elements(a.payload::json) r
    where a.attachment_id = e.attachment_id and (r.value ->> 'id')::bigint = $3
    limit 1
) piece on true
where s.seq < $4
order by s.seq desc
limit $5
