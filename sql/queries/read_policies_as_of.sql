-- A page of the policies as they were after a ledger number, by kind and id.
-- $1 org, $2 the number, $3 kind or null, $4 and $5 only after this kind and id, $6 at most so many. Leans on
-- events_by_policy_change; reads every policy event of the kind up to the number.
select p.policy_kind, p.policy_id, p.policy::text as policy, p.changed_seq, p.changed_at, p.changed_by::text as changed_by
from audit.policies_as_of($1, $2::bigint, case when $3::text is not null then array[$3] end) p
where (p.policy_kind, p.policy_id) > ($4::text, $5::bigint)
order by p.policy_kind, p.policy_id
limit $6
