-- Locks an organization's ledger and reads where it stands.
-- $1 org. Leans on heads_pkey.
select last_seq, last_chain, policy_version, now from ledger.lock_head($1)
