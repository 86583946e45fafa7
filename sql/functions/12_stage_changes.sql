-- Notes what a statement changed in a policy table, for the commit-time trigger (policy.append_changes) to append to the ledger.
-- Nothing here touches the ledger's head: a transaction that stays open holds up nobody.
--
-- A row that was updated to the same is no change. Rows are compared by their bytes (*<>): 1 and 1.0 in a jsonb are equal, and go out as they are.
-- In a simulation (`bookwarden simulate`, which rolls back) it is noted, too: what is so now need not have been so before.
--
-- Up to 100 rows a statement are staged one by one and become an event each; more are put away in pieces of 1,000 rows
-- (ledger.attachments), and each piece becomes one small event.
create or replace function policy.stage_changes()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set datestyle = 'ISO'
set enable_hashagg = off -- grouping by sorted order keeps one piece in memory at a time
as $$
declare
    single_rows constant integer := 100;
    piece_rows  constant integer := 1000;
    is_simulated constant boolean := coalesce(current_setting('bookwarden.simulated', true), '') <> '';
    operation   constant text := case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end;
    changes     constant text := case tg_op
        when 'INSERT' then
            'select n.org, n.id, null::text as old_row, row_to_json(n)::text as new_row from new_rows n'
        when 'UPDATE' then
            'select n.org, n.id, row_to_json(o)::text as old_row, row_to_json(n)::text as new_row
             from new_rows n join old_rows o using (id) where o.* *<> n.*' || case when is_simulated then ' or true' else '' end
        when 'DELETE' then
            'select o.org, o.id, row_to_json(o)::text as old_row, null::text as new_row from old_rows o'
        else format(
            'select t.org, t.id, row_to_json(t)::text as old_row, null::text as new_row from policy.%I t', tg_table_name)
        end;
    row_count   bigint;
    unknown_org text;
begin
    if tg_op = 'INSERT' and tg_table_name <> 'organizations' then
        select min(n.org) into unknown_org
        from new_rows n
        where not exists (select from policy.organizations o where o.org = n.org);
        if unknown_org is not null then
            raise exception 'organization "%" does not exist', unknown_org
                using errcode = 'foreign_key_violation',
                      hint = format('Write it as in policy.organizations, or let an operator make it: bookwarden org add %s', unknown_org);
        end if;
    elsif tg_op = 'UPDATE' then
        if exists (select from old_rows o full join new_rows n on n.id = o.id and n.org = o.org
                   where o.id is null or n.id is null) then
            raise exception 'the id and the org of a policy cannot be changed (policy.%)', tg_table_name
                using errcode = 'restrict_violation',
                      hint = case tg_table_name
                          when 'organizations' then 'An organization keeps its name, because its ledger bears it.'
                          else 'Delete the row and insert another.' end;
        end if;
    elsif tg_op = 'TRUNCATE' then
        if is_simulated then
            raise exception 'TRUNCATE keeps bookings waiting, so it cannot be simulated'
                using errcode = 'feature_not_supported', hint = 'Delete the rows.';
        end if;
        -- It empties the table of rows that an older snapshot does not see, and that could not be noted.
        if current_setting('transaction_isolation') <> 'read committed' then
            raise exception 'a policy table cannot be truncated at isolation level %', current_setting('transaction_isolation')
                using errcode = 'feature_not_supported', hint = 'Delete the rows, or begin isolation level read committed.';
        end if;
        -- TRUNCATE keeps every reader out of the table until it commits, bookings too: do not let it lie about.
        perform set_config('idle_in_transaction_session_timeout', '1s', true);
    end if;

    execute format('select count(*) from (%s) c', changes) into row_count;
    if row_count = 0 then
        return null;
    end if;
    if row_count <= single_rows then
        execute format(
            'insert into policy.staged_changes (org, kind, operation, policy_id_from, policy_id_to, rows, old_row, new_row)
             select c.org, $1, $2, c.id, c.id, 1, c.old_row, c.new_row from (%s) c order by c.id', changes)
        using tg_table_name::text, operation;
    else
        execute format(
            'with numbered as (
                 select c.*, (row_number() over (partition by c.org order by c.id) - 1) / $3 as piece from (%s) c
             ), pieces as materialized (
                 select org, piece, min(id) as id_from, max(id) as id_to, count(*) as rows,
                        gen_random_uuid() as attachment_id, uuid_send(gen_random_uuid()) as salt,
                        ''['' || string_agg(concat(''{"id":'', id, '',"old":'', coalesce(old_row, ''null''),
                                                 '',"new":'', coalesce(new_row, ''null''), ''}''), '',''  order by id) || '']'' as payload
                 from numbered group by org, piece
             ), stored as (
                 insert into ledger.attachments (attachment_id, org, payload, salt, payload_digest)
                 select attachment_id, org, payload, salt, ledger.payload_digest(salt, payload) from pieces
             )
             insert into policy.staged_changes (org, kind, operation, policy_id_from, policy_id_to, rows, attachment_id)
             select org, $1, $2, id_from, id_to, rows, attachment_id from pieces order by org, piece', changes)
        using tg_table_name::text, operation, piece_rows;
    end if;
    -- Last: under "set constraints all immediate" what is staged is appended right here.
    insert into policy.staged_transactions default values on conflict do nothing;
    return null;
end
$$;
comment on function policy.stage_changes() is 'Trigger: notes what a statement changed, for the commit-time trigger to append to the ledger.';
