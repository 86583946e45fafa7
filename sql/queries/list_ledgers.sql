-- Every ledger with its head; a ledger without a head, which cannot be, is listed with an empty one.
-- Binds: none. Leans on events_pkey: a walk from each organization to the next, not a scan.
with recursive ledger (org) as (
    (select e.org from ledger.events e order by e.org limit 1)
    union all
    select (select e.org from ledger.events e where e.org > l.org order by e.org limit 1)
    from ledger l
    where l.org is not null
)
select h.org, h.last_seq, h.last_chain, h.last_recorded_at, h.policy_version from ledger.heads h
union all
select l.org, 0, decode(repeat('00', 32), 'hex'), 'epoch', 0
from ledger l
where l.org is not null and not exists (select from ledger.heads h where h.org = l.org)
order by org
