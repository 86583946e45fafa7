-- Whether the login may become bookwarden_app, and the login's name. No binds; catalogues only.
select coalesce(bool_or(pg_has_role(current_user, oid, 'member')), false), current_user::text
from pg_roles where rolname = 'bookwarden_app';
