-- The number of an organization's newest event. $1 org. Leans on heads_pkey.
select last_seq from ledger.heads where org = $1
