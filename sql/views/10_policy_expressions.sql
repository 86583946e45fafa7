-- Every expression of every policy.
create or replace view policy.expressions as
select org, 'rules' as kind, id, name, mode, 'applies_when' as part, applies_when as expression
from policy.rules where applies_when is not null
union all
select org, 'rules', id, name, mode, 'condition', condition from policy.rules where condition is not null
union all
select org, 'customer_blocklist', id, name, mode, 'applies_when', applies_when from policy.customer_blocklist where applies_when is not null
union all
select org, 'blackouts', id, name, mode, 'applies_when', applies_when from policy.blackouts where applies_when is not null
union all
select org, 'booking_windows', id, name, mode, 'applies_when', applies_when from policy.booking_windows where applies_when is not null
union all
select org, 'customer_limits', id, name, mode, 'applies_when', applies_when from policy.customer_limits where applies_when is not null
union all
select org, 'capacity_caps', id, name, mode, 'applies_when', applies_when from policy.capacity_caps where applies_when is not null;
comment on view policy.expressions is 'Every expression of every policy: applies_when, and condition of rules.';
grant select on policy.expressions to bookwarden_app, bookwarden_policy_admin;
