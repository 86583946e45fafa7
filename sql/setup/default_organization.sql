-- The organization of the webhook addresses that name none.
insert into policy.organizations (org) values ('default') on conflict (org) do nothing;
