-- Policies as they were after a ledger number, each with the change that made it so.
-- $1 org, $2 kinds, $3 ids (as many), $4 the number. Leans on events_by_policy, events_by_bulk_change. Whether a bulk change has a row is
-- known only when it is read whole. So each kind walks down from its newest bulk change, reads each once for all that is still missing,
-- and ends when nothing is: of a list that is updated as a whole every night, that is one night.
with recursive wanted as (
    select w.item, w.kind, w.id, coalesce(alone.seq, 0) as alone_seq
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
), walk as (
    select
        w.kind, $4::bigint as upto, null::bigint as seq,
        array_agg(w.item) as items, array_agg(w.id) as ids, array_agg(w.alone_seq) as alone_seqs,
        '{}'::bigint[] as found_items, '{}'::json[] as found_changes
    from wanted w
    group by w.kind
    union all
    select
        walk.kind, piece.seq - 1, piece.seq,
        rest.items, rest.ids, rest.alone_seqs,
        rest.found_items, rest.found_changes
    from walk
    cross join lateral (
        select c.seq, c.attachment_id
        from ledger.events c
        where c.org = $1 and c.policy_kind = walk.kind and c.attachment_id is not null
            and c.seq <= walk.upto
            and exists (
                select
                from unnest(walk.ids, walk.alone_seqs) as missing (id, alone_seq)
                where missing.id between c.policy_id_from and c.policy_id_to and missing.alone_seq < c.seq
            )
        order by c.seq desc
        limit 1
    ) piece
    cross join lateral (
        select
            coalesce(array_agg(missing.item) filter (where change.id is null), '{}') as items,
            coalesce(array_agg(missing.id) filter (where change.id is null), '{}') as ids,
            coalesce(array_agg(missing.alone_seq) filter (where change.id is null), '{}') as alone_seqs,
            coalesce(array_agg(missing.item) filter (where change.id is not null), '{}') as found_items,
            coalesce(array_agg(change.value) filter (where change.id is not null), '{}') as found_changes
        from unnest(walk.items, walk.ids, walk.alone_seqs) as missing (item, id, alone_seq)
        left join (
            -- A piece of very many statements may have the same row twice: the later counts.
            select distinct on (r.id) r.id, r.value
            from ledger.attachments a
            cross join lateral (
                select (element.value ->> 'id')::bigint as id, element.value, element.place
                from json_array_elements(a.payload::json) with ordinality as element (value, place)
                offset 0 -- or each id would be looked for more than once
            ) r
            where a.attachment_id = piece.attachment_id
            order by r.id, r.place desc
        ) change on change.id = missing.id and missing.alone_seq < piece.seq
    ) rest
), bulk as (
    select found.item, walk.seq, found.value
    from walk
    cross join lateral unnest(walk.found_items, walk.found_changes) as found (item, value)
)
select
    w.item::bigint as item,
    e.seq,
    e.recorded_at,
    e.type,
    (e.payload::json -> 'changedBy')::text as changed_by,
    (coalesce(bulk.value, e.payload::json) -> 'new')::text as policy
from wanted w
left join bulk on bulk.item = w.item
join ledger.events e on e.org = $1 and e.seq = coalesce(bulk.seq, w.alone_seq)
