-- Reports that a policy failed on a booking. $1 org, $2 kind, $3 id, $4 problem. Leans on failures_pkey and the policy table's primary key.
insert into policy.failures (org, kind, policy_id, expressions, problem)
select e.org, e.kind, e.id, array_agg(e.expression order by e.part), $4
from policy.expressions e
where e.org = $1 and e.kind = $2 and e.id = $3
group by e.org, e.kind, e.id
on conflict (org, kind, policy_id) do update
set expressions = excluded.expressions, problem = excluded.problem, failed_at = excluded.failed_at
