-- bookwarden_auditor: reads the views of schema audit. Give it to the login of a reporting tool: grant bookwarden_auditor to metabase;
do $$
begin
    if not exists (select from pg_roles where rolname = 'bookwarden_auditor') then
        create role bookwarden_auditor nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- roles belong to the whole cluster: another database's migration was faster
end
$$;
