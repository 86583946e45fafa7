-- Remembers that a program's schema has been applied. $1: its digest; $2: the program's version. By the primary key.
insert into public.bookwarden_schema (digest, program_version)
values ($1, $2)
on conflict (digest) do update set program_version = excluded.program_version, applied_at = now();
