-- When some events were recorded. $1 org, $2 their numbers. Leans on events_pkey.
select e.seq, e.recorded_at from ledger.events e where e.org = $1 and e.seq = any ($2)
