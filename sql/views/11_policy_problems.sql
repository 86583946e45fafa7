-- What is wrong with the policies as they stand now: a report on an expression that was mended or deleted since is left out.
create or replace view policy.problems as
select
    e.org, e.kind, e.id, e.name, e.mode, e.part, e.expression, p.problem, p.found_at as reported_at
from policy.expression_problems p
join policy.expressions e on sha256(convert_to(e.expression, 'UTF8')) = p.digest
union all
select
    f.org, f.kind, f.policy_id, now.name, now.mode, now.parts, now.expression, f.problem, f.failed_at
from policy.failures f
cross join lateral (
    select
        e.name, e.mode, string_agg(e.part, ' or ' order by e.part) as parts,
        string_agg(e.expression, E'\n' order by e.part) as expression, array_agg(e.expression order by e.part) as expressions,
        bool_or(p.digest is not null) as does_not_compile
    from policy.expressions e
    left join policy.expression_problems p on p.digest = sha256(convert_to(e.expression, 'UTF8'))
    where e.org = f.org and e.kind = f.kind and e.id = f.policy_id
    group by e.name, e.mode
) now
where now.expressions = f.expressions and not now.does_not_compile;
comment on view policy.problems is 'Policies whose expressions do not compile, or failed on a booking. Seconds after a change, what is wrong with it is here; mended or deleted policies are not.';
comment on column policy.problems.org is 'The organization.';
comment on column policy.problems.kind is 'The policy table.';
comment on column policy.problems.id is 'The policy.';
comment on column policy.problems.name is 'Its name.';
comment on column policy.problems.mode is 'Its mode: one that is off or in shadow harms nobody yet.';
comment on column policy.problems.part is 'applies_when or condition.';
comment on column policy.problems.expression is 'The expression.';
comment on column policy.problems.problem is 'What is wrong, and where.';
comment on column policy.problems.reported_at is 'When it was found; of a failure on a booking, when it last failed, to a minute.';
grant select on policy.problems to bookwarden_app, bookwarden_policy_admin;
