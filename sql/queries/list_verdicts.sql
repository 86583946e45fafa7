-- With which verdicts and in which modes a policy was ever met. $1 org, $2 kind, $3 id, $4 verdicts and $5 modes to look for.
-- Leans on policy_hits_pkey, one look each.
select v.verdict, m.mode
from unnest($4::text[]) as v (verdict)
cross join unnest($5::text[]) as m (mode)
where exists (
    select
    from ledger.policy_hits as h
    where h.org = $1 and h.policy_kind = $2 and h.policy_id = $3 and h.verdict = v.verdict and h.mode = m.mode
)
