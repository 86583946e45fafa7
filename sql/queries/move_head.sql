-- Moves the head past what this transaction has appended and commits; if it cannot, the transaction has failed. No binds: one message.
-- $1 org, $2 last_seq and $3 last_chain (hexadecimal) of the head that the batch follows, $4 last_seq, $5 last_chain and
-- $6 last_recorded_at (microseconds since 1970) of the head from now on. Leans on heads_pkey.
select ledger.move_head('$1', $2, '\x$3', $4, '\x$5', timestamptz 'epoch' + $6 * interval '1 microsecond');
commit;
