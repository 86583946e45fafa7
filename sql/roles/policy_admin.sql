-- bookwarden_policy_admin: who keeps the policies, with psql or any SQL tool. Policy tables only: the capture of a change writes to the
-- ledger with its owner's rights, so that an admin needs none there.
-- To make someone one: create role dana login password '…' in role bookwarden_policy_admin;
do $$
begin
    if not exists (select from pg_roles where rolname = 'bookwarden_policy_admin') then
        create role bookwarden_policy_admin nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- roles belong to the whole cluster: another database's migration was faster
end
$$;
grant usage on schema policy to bookwarden_policy_admin;
grant select, insert, update, delete, truncate on
    policy.rules, policy.customer_blocklist, policy.blackouts, policy.booking_windows, policy.customer_limits, policy.capacity_caps
to bookwarden_policy_admin;
-- A new organization needs secrets too, so an operator makes it (bookwarden org add); an admin has its kill switch. Deleting one is
-- granted only to be refused by the trigger keep_organization, which says what to do instead.
grant select, update, delete, truncate on policy.organizations to bookwarden_policy_admin;
