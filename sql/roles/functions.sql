-- Who may use which function. Postgres lets everybody execute what it is not told to protect, and who may execute a trigger function
-- may hang it on a table of their own: the capture runs with its owner's rights, so that would forge policy events.
revoke execute on all functions in schema ledger from public;
grant execute on function ledger.lock_head(text), ledger.clock() to bookwarden_app;
revoke execute on function
    policy.open_ledger(), policy.keep_organization(), policy.gather_changes(xid8), policy.stage_changes(), policy.append_changes(),
    access.notify_change()
from public;
