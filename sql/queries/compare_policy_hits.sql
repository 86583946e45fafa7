-- Where ledger.policy_hits is not what the decisions of an organization's ledger say: which policy, with which verdict and in which
-- mode, how many decisions, and the sum of their numbers, by the ledger and in the table.
-- $1 org. Reads the whole ledger: for `bookwarden verify`, never beside a booking.
with by_ledger as (
    select p.value ->> 'kind' as policy_kind, (p.value ->> 'id')::bigint as policy_id,
           p.value ->> 'verdict' as verdict, p.value ->> 'mode' as mode,
           count(*) as decisions, sum(e.seq) as seq_sum
    from ledger.events e
    cross join lateral json_array_elements(e.payload::json -> 'policies') p
    where e.org = $1 and e.type = 'booking.decided' and e.payload is not null
    group by 1, 2, 3, 4
), by_table as (
    select h.policy_kind, h.policy_id, h.verdict, h.mode, count(*) as decisions, sum(s.seq) as seq_sum
    from ledger.policy_hits h
    cross join lateral unnest(h.seqs) as s (seq)
    where h.org = $1
    group by 1, 2, 3, 4
)
select concat_ws(' ', policy_kind, policy_id, verdict, mode) as key,
       'decisions ' || l.decisions || ', numbers add up to ' || l.seq_sum as ledger,
       'decisions ' || t.decisions || ', numbers add up to ' || t.seq_sum as table_row
from by_ledger l
full join by_table t using (policy_kind, policy_id, verdict, mode)
where (l.decisions, l.seq_sum) is distinct from (t.decisions, t.seq_sum)
order by 1
