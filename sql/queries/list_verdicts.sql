-- With which verdicts and in which modes a policy was ever met. $1 org, $2 kind, $3 id, $4 verdicts and $5 modes to look for.
-- Leans on policy_hits_pkey, one look each ("limit 1": as a join it would read all that the policy ever met).
select v.verdict, m.mode
from unnest($4::text[]) as v (verdict)
cross join unnest($5::text[]) as m (mode)
cross join lateral (
    select h.batch_seq
    from ledger.policy_hits as h
    where h.org = $1 and h.policy_kind = $2 and h.policy_id = $3 and h.verdict = v.verdict and h.mode = m.mode
    order by h.batch_seq
    limit 1
) as met
