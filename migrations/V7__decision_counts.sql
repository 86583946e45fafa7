-- Decisions counted once and for all, so that how many there were is known without reading them again.

create table ledger.decision_counts (
    org        text      not null,
    counted_by text      not null,
    first_seq  bigint    not null,
    last_seq   bigint    not null,
    keys       text[]    compression lz4 not null,
    decisions  integer[] not null,
    newest     bigint[]  not null,
    positions  bytea     not null,
    primary key (org, counted_by, first_seq),
    constraint two_bytes_tell_the_numbers_apart check (first_seq > 0 and last_seq between first_seq and first_seq + 65535)
);
comment on table ledger.decision_counts is 'The decisions of a range of ledger numbers by one trait: a projection of the events and of ledger.policy_hits, rebuildable from them. An organization''s ranges follow each other from number 1 on; what is behind them is not counted yet.';
comment on column ledger.decision_counts.org is 'The organization.';
comment on column ledger.decision_counts.counted_by is 'outcome, unitId, serviceId, channel, bookedBy, quarterHour or policy.';
comment on column ledger.decision_counts.first_seq is 'The range''s first number.';
comment on column ledger.decision_counts.last_seq is 'Its last: behind it the ledger''s head stood when the range was counted, so that nothing of it can change.';
comment on column ledger.decision_counts.keys is 'What the decisions have, ascending: an outcome, a unit; none; a quarter hour''s beginning in seconds since 1970; a policy''s kind, id, verdict and mode.';
comment on column ledger.decision_counts.decisions is 'How many decisions have each key.';
comment on column ledger.decision_counts.newest is 'The last decision of each key.';
comment on column ledger.decision_counts.positions is 'The decisions of each key, ascending, key after key: of each its number less first_seq, in two bytes.';

-- Numbers that ascend do not compress.
alter table ledger.decision_counts alter column positions set storage external;

-- What is not counted yet is the ledger's end, of whichever policies. Batches come in order: each is put behind the last.
create index policy_hits_by_batch on ledger.policy_hits (org, batch_seq);
