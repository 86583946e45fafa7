-- A transaction of very many small statements: puts its single rows away in pieces too, so that the commit appends few events.
-- Runs before the head is locked. The order of changes to the same policy is kept: a piece is a run of changes of one kind and
-- operation, as they were made.
create or replace function policy.gather_changes(p_transaction_id xid8)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_hashagg = off
as $$
declare
    most_single_events constant integer := 1000;
    piece_rows         constant integer := 1000;
begin
    if (select count(*) <= most_single_events from policy.staged_changes
        where transaction_id = p_transaction_id and attachment_id is null) then
        return;
    end if;

    with marked as (
        select c.*,
               (kind, operation, attachment_id is null)
                   is distinct from lag((kind, operation, attachment_id is null)) over (partition by org order by staged_id)
                   as starts_run
        from policy.staged_changes c
        where transaction_id = p_transaction_id
    ), runs as (
        select m.*, count(*) filter (where starts_run) over (partition by org order by staged_id) as run
        from marked m
    ), numbered as (
        select r.*, (row_number() over (partition by org, run order by staged_id) - 1) / piece_rows as piece
        from runs r
        where attachment_id is null
    ), pieces as materialized (
        select org, array_agg(staged_id order by staged_id) as staged_ids,
               min(policy_id_from) as id_from, max(policy_id_to) as id_to, count(*) as rows,
               gen_random_uuid() as attachment_id, uuid_send(gen_random_uuid()) as salt,
               '[' || string_agg(concat('{"id":', policy_id_from, ',"old":', coalesce(old_row, 'null'),
                                        ',"new":', coalesce(new_row, 'null'), '}'), ',' order by staged_id) || ']' as payload
        from numbered
        group by org, run, piece
        having count(*) > 1
    ), stored as (
        insert into ledger.attachments (attachment_id, org, payload, salt, payload_digest)
        select attachment_id, org, payload, salt, ledger.payload_digest(salt, payload) from pieces
    ), gathered as (
        -- The piece stands where its first row stood.
        update policy.staged_changes c
        set policy_id_from = p.id_from, policy_id_to = p.id_to, rows = p.rows, attachment_id = p.attachment_id,
            old_row = null, new_row = null
        from pieces p
        where c.staged_id = p.staged_ids[1]
    )
    delete from policy.staged_changes c
    using pieces p, unnest(p.staged_ids[2:]) as rest (staged_id)
    where c.staged_id = rest.staged_id;
end
$$;
comment on function policy.gather_changes(xid8) is 'Puts the staged single rows of a transaction of very many statements away in pieces.';
