-- How many events have a digest or a chain value that their content does not give.
select count(*)
from (
    select e.*, lag(e.chain, 1, decode(repeat('00', 32), 'hex')) over (partition by e.org order by e.seq) as previous
    from ledger.events e
) e
where e.payload_digest <> ledger.payload_digest(e.salt, e.payload, e.body)
   or e.chain <> ledger.chain(e.previous, e.payload_digest, e.org, e.seq, e.type, e.recorded_at, e.caused_by)
