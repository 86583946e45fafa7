-- A time range as ledger numbers: the first in it, and the first after it.
-- $1 org, $2 from, $3 until; null: no bound. Leans on events_pkey (a binary search), heads_pkey.
select
    case when $2::timestamptz is null then 1 else audit.seq_at($1, $2) end as first,
    case when $3::timestamptz is null then (select last_seq + 1 from ledger.heads where org = $1) else audit.seq_at($1, $3) end as after
