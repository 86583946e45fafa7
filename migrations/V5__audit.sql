-- Looking back: an index for each filter of the audit API, and which policies each decision met.

create schema audit;
comment on schema audit is 'For auditors: views and functions over the ledger. Read only.';

-- Each ends in seq, so that the newest of any value are read from the index's end, in order, and a page deep in the history
-- costs as much as the first. A time range needs no index: time grows with seq, and audit.seq_at finds the numbers.
create index decisions_by_unit on ledger.events (org, unit_id, seq) where type = 'booking.decided';
-- A service has few units and a type few services, so that a search by one of them alone still reads a few index ends; and what does not
-- belong together is seen by one look.
create index decisions_by_service on ledger.events (org, service_id, unit_id, seq) where type = 'booking.decided';
create index decisions_by_service_type on ledger.events (org, service_type_id, service_id, seq)
    where type = 'booking.decided' and service_type_id is not null;
create index decisions_by_customer on ledger.events (org, customer_record_id, seq)
    where type = 'booking.decided' and customer_record_id is not null;
create index decisions_by_agent on ledger.events (org, triggered_by_user_email, seq)
    where type = 'booking.decided' and triggered_by_user_email is not null;
create index decisions_by_date on ledger.events (org, appointment_date, seq) where type = 'booking.decided';
create index decisions_by_cu_index on ledger.events (org, cu_index, seq) where type = 'booking.decided';
-- Few channels, three outcomes, two kinds of booker: any of them is found in a few places of one index.
create index decisions_by_trait on ledger.events (org, channel, outcome, booked_by, seq) where type = 'booking.decided';
-- A reason may be longer than an index entry: its hash stands for it. Reasons are the policies' messages, so few are distinct,
-- and a search for a part of one looks at each distinct reason once (src/audit/plan). A column, because of an index over an expression
-- Postgres reads the rows, too (PostgreSQL manual, "Index-Only Scans").
alter table ledger.events add column reason_hash bigint generated always as (hashtextextended(cancellation_reason, 0)) stored;
comment on column ledger.events.reason_hash is 'Of cancellation_reason, for its index. Not in the digest: Postgres derives it.';
create index decisions_by_reason on ledger.events (org, reason_hash, seq) where type = 'booking.decided' and reason_hash is not null;
-- Every type but the two that make up nearly the whole ledger.
create index events_by_rare_type on ledger.events (org, type, seq)
    where type not in ('booking.requested', 'booking.decided');
-- Bulk changes of policies: one event for up to 1,000 rows.
create index events_by_bulk_change on ledger.events (org, policy_kind, seq) where attachment_id is not null;

create table ledger.policy_hits (
    org         text     not null,
    policy_kind text     not null,
    policy_id   bigint   not null,
    verdict     text     not null,
    mode        text     not null,
    batch_seq   bigint   not null,
    seqs        bigint[] not null,
    primary key (org, policy_kind, policy_id, verdict, mode, batch_seq)
);
comment on table ledger.policy_hits is 'Which decisions each policy took part in, a batch of decisions a row: a projection of the events, rebuildable from them.';
comment on column ledger.policy_hits.org is 'The organization.';
comment on column ledger.policy_hits.policy_kind is 'The policy table, without its schema.';
comment on column ledger.policy_hits.policy_id is 'The policy.';
comment on column ledger.policy_hits.verdict is 'What it found: allowed, refused, changed or error.';
comment on column ledger.policy_hits.mode is 'The mode in which it was evaluated: enforce or shadow.';
comment on column ledger.policy_hits.batch_seq is 'The last event of the batch; batches do not overlap, so their order is the order of their decisions.';
comment on column ledger.policy_hits.seqs is 'The decisions, ascending.';

create type ledger.new_hits as (
    policy_kind text,
    policy_id   bigint,
    verdict     text,
    mode        text,
    seqs        bigint[]
);
comment on type ledger.new_hits is 'What the service appends of a batch''s hits.';

insert into ledger.policy_hits (org, policy_kind, policy_id, verdict, mode, batch_seq, seqs)
select e.org, p.value ->> 'kind', (p.value ->> 'id')::bigint, p.value ->> 'verdict', p.value ->> 'mode',
       (e.seq / 500 + 1) * 500 - 1, array_agg(e.seq order by e.seq)
from ledger.events e
cross join json_array_elements(e.payload::json -> 'policies') p
where e.type = 'booking.decided' and e.payload is not null
group by 1, 2, 3, 4, 5, 6;
