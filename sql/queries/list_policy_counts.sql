-- Every policy in force or met in a part of the ledger, and what it did there.
-- $1 org, $2 number after the part's last; of each policy met $3 its kind, id, verdict and mode, $4 how many decisions, $5 the last of them.
with met as (
    select
        split_part(m.key, ' ', 1) as policy_kind, split_part(m.key, ' ', 2)::bigint as policy_id,
        split_part(m.key, ' ', 3) as verdict, split_part(m.key, ' ', 4) as mode, m.met, m.last
    from unnest($3::text[], $4::bigint[], $5::bigint[]) as m (key, met, last)
), counted as (
    select
        h.policy_kind, h.policy_id,
        sum(h.met) as met,
        sum(h.met) filter (where h.verdict = 'refused' and h.mode = 'enforce') as refused,
        sum(h.met) filter (where h.verdict = 'changed' and h.mode = 'enforce') as changed,
        sum(h.met) filter (where h.verdict = 'refused' and h.mode = 'shadow') as would_have_refused,
        sum(h.met) filter (where h.verdict = 'changed' and h.mode = 'shadow') as would_have_changed,
        sum(h.met) filter (where h.verdict = 'error') as errors,
        max(h.last) filter (where h.verdict in ('refused', 'changed')) as last_hit
    from met h
    group by h.policy_kind, h.policy_id
), in_force as (
    select p.policy_kind, p.policy_id, p.policy ->> 'name' as name, p.policy ->> 'mode' as mode
    from audit.policies_as_of(
        $1, $2 - 1, array['capacity_caps', 'customer_limits', 'blackouts', 'booking_windows', 'rules']) p
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
