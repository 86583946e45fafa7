-- Times as ledger numbers. $1 org, $2 ascending times. Leans on events_pkey.
select audit.seqs_at($1, $2)
