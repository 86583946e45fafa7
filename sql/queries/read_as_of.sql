-- A time as the number of the newest event up to and at it. $1 org, $2 the time; null: now. Leans on events_pkey, heads_pkey.
select case
    when $2::timestamptz is null then (select last_seq from ledger.heads where org = $1)
    else audit.seq_at($1, $2 + interval '1 microsecond') - 1
end
