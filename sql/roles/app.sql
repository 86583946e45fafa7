-- bookwarden_app: what the service may do. It reads policies, appends events and keeps the projections; it cannot change an event.
do $$
begin
    if not exists (select from pg_roles where rolname = 'bookwarden_app') then
        create role bookwarden_app nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- roles belong to the whole cluster: another database's migration was faster
end
$$;
do $$
begin
    -- The service's login becomes this role (set role), so that the grants below bind it.
    if not pg_has_role(current_user, 'bookwarden_app', 'member') then
        execute format('grant bookwarden_app to %I', current_user);
    end if;
end
$$;
grant usage on schema ledger, policy, access to bookwarden_app;
grant select, insert on ledger.events to bookwarden_app;
grant select on ledger.attachments to bookwarden_app;
grant select, update on ledger.heads to bookwarden_app;
grant select, insert, update, delete on ledger.reservations to bookwarden_app;
grant select on
    policy.organizations, policy.rules, policy.customer_blocklist, policy.blackouts, policy.booking_windows, policy.customer_limits,
    policy.capacity_caps
to bookwarden_app;
grant select on all tables in schema access to bookwarden_app;
-- Reports of what is wrong with policies; not policies themselves.
grant select, insert, update, delete on policy.expression_problems, policy.failures to bookwarden_app;
grant usage on schema audit to bookwarden_app;
grant select, insert on ledger.policy_hits, ledger.decision_counts to bookwarden_app;
