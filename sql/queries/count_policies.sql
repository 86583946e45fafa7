-- For every policy in force or met in a range of the ledger: how often it was met, with which verdict, and when last.
-- $1 org, $2 first number, $3 number after the last. Leans on policy_hits' primary key; reads the organization's rows of it.
with counted as (
    select
        h.policy_kind, h.policy_id,
        sum(n.met) as met,
        sum(n.met) filter (where h.verdict = 'refused' and h.mode = 'enforce') as refused,
        sum(n.met) filter (where h.verdict = 'changed' and h.mode = 'enforce') as changed,
        sum(n.met) filter (where h.verdict = 'refused' and h.mode = 'shadow') as would_have_refused,
        sum(n.met) filter (where h.verdict = 'changed' and h.mode = 'shadow') as would_have_changed,
        sum(n.met) filter (where h.verdict = 'error') as errors,
        max(n.last) as last_met,
        max(n.last) filter (where h.verdict in ('refused', 'changed')) as last_hit
    from ledger.policy_hits h
    cross join lateral (
        select count(*) as met, max(s) as last from unnest(h.seqs) s where s >= $2 and s < $3
    ) n
    where h.org = $1 and h.batch_seq >= $2 and n.met > 0
    group by h.policy_kind, h.policy_id
), in_force as (
    select p.policy_kind, p.policy_id, p.policy ->> 'name' as name, p.policy ->> 'mode' as mode
    from audit.policies_as_of($1, $3 - 1) p
    where p.policy_kind not in ('organizations', 'customer_blocklist')
)
select
    coalesce(c.policy_kind, f.policy_kind) as policy_kind, coalesce(c.policy_id, f.policy_id) as policy_id, f.name, f.mode, f.policy_id is not null as in_force,
    coalesce(c.met, 0)::bigint as met,
    coalesce(c.refused, 0)::bigint as refused,
    coalesce(c.changed, 0)::bigint as changed,
    coalesce(c.would_have_refused, 0)::bigint as would_have_refused,
    coalesce(c.would_have_changed, 0)::bigint as would_have_changed,
    coalesce(c.errors, 0)::bigint as errors,
    c.last_hit as last_hit_id,
    hit.recorded_at as last_hit_at
from counted c
full join in_force f on f.policy_kind = c.policy_kind and f.policy_id = c.policy_id
left join ledger.events hit on hit.org = $1 and hit.seq = c.last_hit
order by 1, 2
limit 10000
