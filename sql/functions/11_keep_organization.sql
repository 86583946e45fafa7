-- An organization stays: its ledger could not be read without it.
create or replace function policy.keep_organization()
returns trigger
language plpgsql
as $$
begin
    raise exception 'an organization cannot be removed: its ledger stays'
        using errcode = 'restrict_violation',
              hint = 'To stop its policies: update policy.organizations set mode = ''shadow'' where org = ''…''.';
end
$$;
comment on function policy.keep_organization() is 'Trigger: refuses to delete or truncate organizations.';
