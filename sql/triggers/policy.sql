-- Every policy table is captured in the same four ways; what is captured is appended to the ledger at commit.
do $$
declare
    policy_table text;
begin
    foreach policy_table in array array[
        'organizations', 'rules', 'customer_blocklist', 'blackouts', 'booking_windows', 'customer_limits', 'capacity_caps']
    loop
        execute format(
            'create or replace trigger stage_insert after insert on policy.%I
             referencing new table as new_rows for each statement execute function policy.stage_changes()', policy_table);
        execute format(
            'create or replace trigger stage_update after update on policy.%I
             referencing old table as old_rows new table as new_rows for each statement execute function policy.stage_changes()',
            policy_table);
        execute format(
            'create or replace trigger stage_delete after delete on policy.%I
             referencing old table as old_rows for each statement execute function policy.stage_changes()', policy_table);
        execute format(
            'create or replace trigger stage_truncate before truncate on policy.%I
             for each statement execute function policy.stage_changes()', policy_table);
    end loop;
end
$$;

create or replace trigger open_ledger
    before insert on policy.organizations
    for each row execute function policy.open_ledger();
create or replace trigger keep_organization
    before delete or truncate on policy.organizations
    for each statement execute function policy.keep_organization();

-- Constraint triggers know no "or replace".
drop trigger if exists append_changes on policy.staged_transactions;
create constraint trigger append_changes
    after insert on policy.staged_transactions
    deferrable initially deferred
    for each row execute function policy.append_changes();
