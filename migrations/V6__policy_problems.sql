-- Policies whose expressions do not work. The service alone can compile and run them, so it reports here what it found, beside its
-- decisions; the view policy.problems shows what of it is current.

create table policy.expression_problems (
    digest     bytea       primary key,
    expression text        not null,
    problem    text        not null,
    found_at   timestamptz not null default now()
);
comment on table policy.expression_problems is 'Expressions that do not compile, as the service reported them; read policy.problems instead.';
comment on column policy.expression_problems.digest is 'SHA-256 of the expression.';
comment on column policy.expression_problems.expression is 'The expression, as it stands in applies_when or condition.';
comment on column policy.expression_problems.problem is 'What is wrong with it, and where.';
comment on column policy.expression_problems.found_at is 'When it was found.';

create table policy.failures (
    org         text        not null,
    kind        text        not null,
    policy_id   bigint      not null,
    expressions text[]      not null,
    problem     text        not null,
    failed_at   timestamptz not null default now(),
    primary key (org, kind, policy_id)
);
comment on table policy.failures is 'Policies whose expressions failed on a booking, as the service reported them; read policy.problems instead.';
comment on column policy.failures.org is 'The organization.';
comment on column policy.failures.kind is 'The policy table.';
comment on column policy.failures.policy_id is 'The policy.';
comment on column policy.failures.expressions is 'Its expressions at that time: once they are others, the report is history.';
comment on column policy.failures.problem is 'What went wrong last.';
comment on column policy.failures.failed_at is 'When, to a minute.';

-- The name is the message that an administrator reads.
alter table policy.customer_blocklist
    rename constraint names_a_customer_or_a_field_value to names_customer_record_id_or_else_field_type_id_and_field_value;

-- Few policies have an expression; these two tables may have very many rows.
create index customer_blocklist_with_expression on policy.customer_blocklist (org, id) where applies_when is not null;
create index capacity_caps_with_expression on policy.capacity_caps (org, id) where applies_when is not null;
