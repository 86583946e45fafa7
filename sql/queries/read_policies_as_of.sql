-- A page of the policies as they were after a ledger number, by kind and id.
-- $1 org, $2 the number, $3 kind or null, $4 and $5 only after this kind and id, $6 at most so many. Leans on
-- events_by_policy and events_by_bulk_change, by audit.policies_page.
select p.policy_kind, p.policy_id, p.policy::text as policy, p.changed_seq, p.changed_at, p.changed_by::text as changed_by
from audit.policies_page($1, $2::bigint, $3::text, $4::text, $5::bigint, $6) p
