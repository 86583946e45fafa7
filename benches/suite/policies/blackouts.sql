-- Ten closed days long ago, and a night.
insert into policy.blackouts (org, name, from_date, to_date)
select o.org, 'holiday ' || n, date '2020-01-01' + n, date '2020-01-01' + n
from policy.organizations o, generate_series(1, 10) as n;

insert into policy.blackouts (org, name, from_minute, to_minute)
select o.org, 'night', 0, 300
from policy.organizations o;
