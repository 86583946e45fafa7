-- What of the decisions of a range of the ledger is counted. $1 org, $2 first number, $3 last number. Leans on events_pkey.
select e.seq, e.recorded_at, e.outcome, e.unit_id, e.service_id, e.channel, e.booked_by
from ledger.events e
where e.org = $1 and e.seq >= $2 and e.seq <= $3 and e.type = 'booking.decided'
order by e.seq
