-- How many problems each organization's policies have. No binds. Few rows.
select org, count(*) from policy.problems group by org
