-- Views and functions of schema audit, and nothing else. Here, behind the views, because a grant needs what it is about.
grant usage on schema audit to bookwarden_auditor;
grant select on all tables in schema audit to bookwarden_auditor;
revoke execute on all functions in schema audit from public;
grant execute on all functions in schema audit to bookwarden_auditor, bookwarden_app;
