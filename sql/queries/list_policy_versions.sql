-- How far each organization's policies are. No binds; reads ledger.heads whole, a row an organization.
select org, policy_version from ledger.heads
