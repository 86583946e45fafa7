-- Whether a program's schema has been applied. $1: its digest. By the primary key.
select exists (select from public.bookwarden_schema where digest = $1);
