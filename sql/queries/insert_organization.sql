-- Makes an organization; its ledger is made by trigger. $1: org. By the unique index on org.
insert into policy.organizations (org)
values ($1)
on conflict (org) do nothing;
