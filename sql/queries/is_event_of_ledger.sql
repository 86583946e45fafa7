-- Whether a ledger has an event with this chain value, which commits to everything before it, too.
-- $1 org, $2 number, $3 chain value. By events_pkey.
select exists (
    select from ledger.events
    where org = $1 and seq = $2 and chain = $3
)
