-- Reports that a policy failed on a booking, unless the policy was changed since: then its expressions are not those that failed.
-- $1 org, $2 kind, $3 id, $4 problem, $5 the decision's policy version.
-- Leans on failures_pkey, the policy table's primary key and events_by_policy_change.
insert into policy.failures (org, kind, policy_id, expressions, problem)
select e.org, e.kind, e.id, array_agg(e.expression order by e.part), $4
from policy.expressions e
where e.org = $1 and e.kind = $2 and e.id = $3
  and not exists (
      select
      from ledger.events c
      where c.org = $1 and c.seq > $5 and c.policy_kind = $2 and c.policy_id_from <= $3 and c.policy_id_to >= $3)
group by e.org, e.kind, e.id
on conflict (org, kind, policy_id) do update
set expressions = excluded.expressions, problem = excluded.problem, failed_at = excluded.failed_at
