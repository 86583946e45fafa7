-- Whether nobody ever made a cap or blocked a customer here. No binds. By events_by_policy.
select not exists (select from policy.capacity_caps)
    and not exists (select from policy.customer_blocklist)
    and not exists (
        select
        from ledger.events
        where org = 'default' and policy_kind in ('capacity_caps', 'customer_blocklist')
    );
