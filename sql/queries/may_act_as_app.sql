-- Whether the login may become bookwarden_app, and the login's name. No binds; catalogues only.
-- Since Postgres 16 a grant says by itself whether "set role" is in it.
select
    coalesce(bool_or(pg_has_role(
        current_user, oid, case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end)), false),
    current_user::text
from pg_roles
where rolname = 'bookwarden_app'
