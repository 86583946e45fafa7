-- Begins a batch's transaction. No binds.
-- The policy tables first, the ledger's head after them: the order in which a TRUNCATE of a policy table locks them, too (its
-- table at once, the head at its commit). The other way round the two would deadlock.
begin;
lock table
    policy.organizations, policy.rules, policy.customer_blocklist, policy.blackouts, policy.booking_windows,
    policy.customer_limits, policy.capacity_caps
    in access share mode;
