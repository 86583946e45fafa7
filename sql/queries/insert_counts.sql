-- Keeps what was counted. $1 org, $2 by what, $3 first number, $4 last number, $5 keys, $6 decisions of each, $7 the newest of each,
-- $8 positions of all. A range that was counted already is refused by decision_counts_pkey.
insert into ledger.decision_counts (org, counted_by, first_seq, last_seq, keys, decisions, newest, positions)
values ($1, $2, $3, $4, $5, $6, $7, $8)
