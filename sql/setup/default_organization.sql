-- The organization of the addresses that name none; after the triggers, which give it its ledger.
insert into policy.organizations (org)
values ('default')
on conflict do nothing;
