-- Begins a batch's transaction. No binds.
-- The policy tables first, the ledger's head after them: the order in which a TRUNCATE of a policy table locks them, too (its
-- table at once, the head at its commit). The other way round the two would deadlock.
begin;
-- A process that stops in the middle, as a whole or cut off by its network, must not keep all others from this ledger for longer.
set local idle_in_transaction_session_timeout = '2s';
-- A TRUNCATE of several tables may lock them in another order. Then the batch steps back, before Postgres looks for deadlocks
-- (deadlock_timeout, 1 s) and might choose the administrator's transaction to fail.
set local lock_timeout = '300ms';
lock table
    policy.organizations, policy.rules, policy.customer_blocklist, policy.blackouts, policy.booking_windows,
    policy.customer_limits, policy.capacity_caps
    in access share mode;
set local lock_timeout = '3s';
