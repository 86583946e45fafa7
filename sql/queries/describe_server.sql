-- What `migrate` must know of a server before it starts. No binds; catalogues only.
select
    current_setting('server_version_num')::integer as version_number,
    current_setting('server_version') as version,
    pg_is_in_recovery() as is_standby,
    current_setting('server_encoding') as encoding,
    exists (select from pg_collation where collname = 'und-x-icu') as has_icu,
    current_user::text as login,
    has_database_privilege(current_database(), 'create') as may_create_schemas,
    exists (select from pg_roles where rolname = current_user and (rolsuper or rolcreaterole))
        or (select count(*) = 3 from pg_roles
            where rolname in ('bookwarden_app', 'bookwarden_policy_admin', 'bookwarden_auditor')) as may_create_roles;
