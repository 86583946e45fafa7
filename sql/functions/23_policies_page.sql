-- A page of the policies as they were after a ledger number, by kind and id, however many rows a kind has: only the changes of the ids
-- next to the cursor are read. audit.policies_as_of, which reads every change, says the same.
--
-- A window of ids begins behind the cursor, or with the lowest id that there can be, and ends where one of the next bulk changes ends, or
-- with the last of the next rows that were changed by themselves. Statements are put away by ascending id (policy.stage_changes), so that
-- a window meets one piece of each bulk change of these rows. While windows have no policy at all, because their rows are gone, they grow.
--
-- Which rows a window may have, its creations say; then later bulk changes are unpacked, newest first, until all rows are known: of a
-- list that is updated as a whole every night, that is one night.
--
-- Leans on events_by_policy (from id to id) and events_by_bulk_change. The settings keep to them, whatever Postgres' statistics say:
-- no other index has this order.
create or replace function audit.policies_page(
    p_org text, p_seq bigint, p_kind text, p_after_kind text, p_after_id bigint, p_limit bigint)
returns table (policy_kind text, policy_id bigint, policy json, changed_seq bigint, changed_at timestamptz, changed_by json)
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp
set enable_sort = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
    below_all constant bigint := -9223372036854775808;
    above_all constant bigint := 9223372036854775807;
    most_pieces  constant bigint := 16;
    most_singles constant bigint := 5000;
    kind       text := p_after_kind;
    -- The lowest id of the window; null if none is left of the kind.
    first      bigint := case when p_after_id < above_all then p_after_id + 1 end;
    upto       bigint;
    pieces     bigint;
    singles    bigint;
    wanted     bigint := p_limit;
    found_rows bigint;
    piece      record;
    -- The window's rows, and the newest change of each that is known so far.
    ids        bigint[];
    seqs       bigint[];
    changes    json[];
    any_erased boolean;
begin
    if p_kind is not null and p_kind <> p_after_kind then
        if p_kind < p_after_kind then
            return;
        end if;
        kind := p_kind;
        first := below_all;
    end if;

    while wanted > 0 loop
        pieces := 1;
        singles := wanted;
        while wanted > 0 loop
            upto := least(
                (select distinct e.policy_id_to
                 from ledger.events e
                 where e.org = p_org and e.policy_kind = kind and e.attachment_id is not null
                   and e.seq <= p_seq and e.policy_id_to >= first
                 order by e.policy_id_to
                 offset pieces - 1 limit 1),
                (with recursive id as (
                     (select e.policy_id_to as id, 1 as n
                      from ledger.events e
                      where e.org = p_org and e.policy_kind = kind and e.policy_id_to >= first and e.seq <= p_seq
                      order by e.policy_id_to
                      limit 1)
                     union all
                     select next.policy_id_to, id.n + 1
                     from id
                     cross join lateral (
                         select e.policy_id_to
                         from ledger.events e
                         where e.org = p_org and e.policy_kind = kind and e.policy_id_to > id.id and e.seq <= p_seq
                         order by e.policy_id_to
                         limit 1
                     ) as next
                     where id.n < singles
                 )
                 select id.id from id where id.n = singles));
            -- No more than that: to the end of the kind.
            upto := coalesce(upto, above_all);

            with recursive id as (
                (select e.policy_id_to as id
                 from ledger.events e
                 where e.org = p_org and e.policy_kind = kind
                   and e.policy_id_to >= first and e.policy_id_to <= upto and e.seq <= p_seq
                 order by e.policy_id_to
                 limit 1)
                union all
                select next.policy_id_to
                from id
                cross join lateral (
                    select e.policy_id_to
                    from ledger.events e
                    where e.org = p_org and e.policy_kind = kind
                      and e.policy_id_to > id.id and e.policy_id_to <= upto and e.seq <= p_seq
                    order by e.policy_id_to
                    limit 1
                ) as next
            ), change as (
                select id.id, newest.seq, newest.payload::json as value
                from id
                cross join lateral (
                    select e.seq, e.payload
                    from ledger.events e
                    where e.org = p_org and e.policy_kind = kind and e.policy_id_to = id.id and e.seq <= p_seq
                      and e.attachment_id is null
                    order by e.seq desc
                    limit 1
                ) as newest
                union all
                select r.id, e.seq, r.value
                from ledger.events e
                join ledger.attachments a using (attachment_id)
                cross join lateral (
                    select (element.value ->> 'id')::bigint as id, element.value
                    from json_array_elements(a.payload::json) as element (value)
                    offset 0 -- or each id would be looked for three times
                ) as r
                where e.org = p_org and e.policy_kind = kind and e.attachment_id is not null and e.type = 'policy.created'
                  and e.seq <= p_seq and e.policy_id_to >= first and e.policy_id_from <= upto
                  and r.id >= first and r.id <= upto
            ), newest as (
                select distinct on (c.id) c.* from change c order by c.id, c.seq desc
            )
            select coalesce(array_agg(n.id), '{}'), coalesce(array_agg(n.seq), '{}'), coalesce(array_agg(n.value), '{}')
            into ids, seqs, changes
            from newest n;

            -- Rows whose creation was erased are still what later changes say.
            any_erased := exists (
                select
                from ledger.events e
                join ledger.attachments a using (attachment_id)
                where e.org = p_org and e.policy_kind = kind and e.attachment_id is not null and a.payload is null
                  and e.seq <= p_seq and e.policy_id_to >= first and e.policy_id_from <= upto);

            for piece in
                select e.seq, e.attachment_id
                from ledger.events e
                where e.org = p_org and e.policy_kind = kind and e.attachment_id is not null and e.type <> 'policy.created'
                  and e.seq <= p_seq and e.policy_id_to >= first and e.policy_id_from <= upto
                order by e.seq desc
            loop
                exit when not any_erased and piece.seq < (select coalesce(min(s), above_all) from unnest(seqs) s);
                with change as (
                    select k.*, 0::bigint as place
                    from unnest(ids, seqs, changes) as k (id, seq, value)
                    union all
                    select r.id, piece.seq, r.value, r.place
                    from ledger.attachments a
                    cross join lateral (
                        select (element.value ->> 'id')::bigint as id, element.value, element.place
                        from json_array_elements(a.payload::json) with ordinality as element (value, place)
                        offset 0
                    ) as r
                    where a.attachment_id = piece.attachment_id and r.id >= first and r.id <= upto
                ), newest as (
                    -- A piece of very many statements may have the same row twice: the later counts.
                    select distinct on (c.id) c.* from change c order by c.id, c.seq desc, c.place desc
                )
                select coalesce(array_agg(n.id), '{}'), coalesce(array_agg(n.seq), '{}'), coalesce(array_agg(n.value), '{}')
                into ids, seqs, changes
                from newest n;
            end loop;

            return query
            select kind, k.id, k.value -> 'new', k.seq, e.recorded_at, e.payload::json -> 'changedBy'
            from (
                select k.*
                from unnest(ids, seqs, changes) as k (id, seq, value)
                where json_typeof(k.value -> 'new') = 'object'
                order by k.id
                limit wanted
            ) as k
            join ledger.events e on e.org = p_org and e.seq = k.seq
            order by k.id;

            get diagnostics found_rows = row_count;
            wanted := wanted - found_rows;
            exit when upto = above_all;
            first := upto + 1;
            if found_rows = 0 then
                pieces := least(pieces * 2, most_pieces);
                singles := least(singles * 2, most_singles);
            end if;
        end loop;

        exit when p_kind is not null;
        select e.policy_kind into kind
        from ledger.events e
        where e.org = p_org and e.policy_kind > kind
        order by e.policy_kind
        limit 1;
        exit when kind is null;
        first := below_all;
    end loop;
end
$$;
comment on function audit.policies_page(text, bigint, text, text, bigint, bigint) is 'A page of audit.policies_as_of: at most so many policies behind a kind and id. Kind null: all.';
