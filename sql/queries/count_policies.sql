-- For every policy in force or met in a range of the ledger: how often it was met, with which verdict, and when last.
-- $1 org, $2 first number, $3 number after the last, $4 after which no batch has decisions of the range.
-- $5 whether that is much of the ledger: then the table is read as it lies, at once.
-- Leans on policy_hits' primary key: from each policy, verdict and mode to the next, and through its part of the range.
with recursive kept as (
    (
        select h.policy_kind, h.policy_id, h.verdict, h.mode
        from ledger.policy_hits h
        where h.org = $1 and not $5
        order by h.policy_kind, h.policy_id, h.verdict, h.mode
        limit 1
    )
    union all
    select next.*
    from kept
    cross join lateral (
        select h.policy_kind, h.policy_id, h.verdict, h.mode
        from ledger.policy_hits h
        where h.org = $1
            and (h.policy_kind, h.policy_id, h.verdict, h.mode) > (kept.policy_kind, kept.policy_id, kept.verdict, kept.mode)
        order by h.policy_kind, h.policy_id, h.verdict, h.mode
        limit 1
    ) as next
), met as (
    select kept.*, n.met, n.last
    from kept
    cross join lateral (
        -- A batch that lies within the range is counted by its length.
        select
            sum(case when h.seqs[1] >= $2 and h.batch_seq < $3 then cardinality(h.seqs)
                     else (select count(*) from unnest(h.seqs) s where s >= $2 and s < $3) end) as met,
            max(case when h.batch_seq < $3 then h.seqs[cardinality(h.seqs)]
                     else (select max(s) from unnest(h.seqs) s where s < $3) end) as last
        from ledger.policy_hits h
        where h.org = $1 and h.policy_kind = kept.policy_kind and h.policy_id = kept.policy_id
            and h.verdict = kept.verdict and h.mode = kept.mode
            and h.batch_seq >= $2 and h.batch_seq < $4
    ) n
    where not $5 and n.met > 0
    union all
    select h.policy_kind, h.policy_id, h.verdict, h.mode, sum(n.met), max(n.last)
    from ledger.policy_hits h
    cross join lateral (
        select
            case when h.seqs[1] >= $2 and h.batch_seq < $3 then cardinality(h.seqs)
                 else (select count(*) from unnest(h.seqs) s where s >= $2 and s < $3) end as met,
            case when h.batch_seq < $3 then h.seqs[cardinality(h.seqs)]
                 else (select max(s) from unnest(h.seqs) s where s < $3) end as last
        offset 0
    ) n
    where $5 and h.org = $1 and h.batch_seq >= $2 and h.batch_seq < $4 and n.met > 0
    group by h.policy_kind, h.policy_id, h.verdict, h.mode
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
        $1, $3 - 1, array['capacity_caps', 'customer_limits', 'blackouts', 'booking_windows', 'rules']) p
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
