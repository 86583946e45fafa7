-- Which programs' schemas have been applied: how an instance knows that it may start serving (/readyz).
create table if not exists public.bookwarden_schema (
    digest          bytea       primary key,
    program_version text        not null,
    applied_at      timestamptz not null default now()
);
comment on table public.bookwarden_schema is 'The schemas that `bookwarden migrate` has applied; the newest applied_at is in force.';
comment on column public.bookwarden_schema.digest is 'SHA-256 over all SQL files of the schema.';
comment on column public.bookwarden_schema.program_version is 'Version of the bookwarden that applied it last.';
comment on column public.bookwarden_schema.applied_at is 'When it was applied last.';
grant select on public.bookwarden_schema to public;
