-- The ledger: one numbered, append-only sequence of events for each organization, the lock that orders it,
-- and the places that approved bookings hold (a projection of the events).

create schema ledger;
comment on schema ledger is 'What was asked, what was answered and what changed: append-only events, and projections of them.';

create table ledger.heads (
    org              text        primary key
                                 constraint org_name check (org ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    last_seq         bigint      not null default 0,
    last_chain       bytea       not null default decode(repeat('00', 32), 'hex'),
    last_recorded_at timestamptz not null default 'epoch',
    policy_version   bigint      not null default 0
) with (fillfactor = 10);
comment on table ledger.heads is 'One row for each organization''s ledger. Every appender locks it, which is what gives the ledger one order.';
comment on column ledger.heads.org is 'The organization: lower-case letters, digits and hyphens, at most 63.';
comment on column ledger.heads.last_seq is 'Number of the newest event; 0 for an empty ledger.';
comment on column ledger.heads.last_chain is 'Chain value of the newest event; 32 zero bytes for an empty ledger.';
comment on column ledger.heads.last_recorded_at is 'Time of the newest event; time never runs backwards within a ledger.';
comment on column ledger.heads.policy_version is 'Number of the newest policy event: the policies that a decision saw are named by it.';

create table ledger.attachments (
    attachment_id  uuid    primary key,
    org            text    not null,
    payload        text    compression lz4,
    salt           bytea,
    payload_digest bytea   not null
);
comment on table ledger.attachments is 'Rows of a large policy change, in pieces, so that its event stays small. Append-only, like the events that name them.';
comment on column ledger.attachments.attachment_id is 'Named by the event''s attachment_id.';
comment on column ledger.attachments.org is 'The organization.';
comment on column ledger.attachments.payload is 'JSON array of {"id", "old", "new"}.';
comment on column ledger.attachments.salt is '16 random bytes.';
comment on column ledger.attachments.payload_digest is 'SHA-256 of salt and payload; the event''s payload repeats it.';

create table ledger.events (
    org                     text        not null,
    seq                     bigint      not null,
    recorded_at             timestamptz not null,
    type                    text        not null,
    caused_by               bigint,
    payload                 text,
    body                    text,
    salt                    bytea,
    payload_digest          bytea       not null,
    chain                   bytea       not null,

    case_id                 uuid,
    request_digest          bytea,
    outcome                 text,
    unit_id                 uuid,
    service_id              uuid,
    service_category_id     uuid,
    service_type_id         uuid,
    cu_index                integer,
    appointment_date        date,
    start_minute            integer,
    duration                integer,
    channel                 text,
    booked_by               text,
    customer_record_id      uuid,
    triggered_by_user_email text,
    cancellation_reason     text,

    policy_kind             text,
    policy_id_from          bigint,
    policy_id_to            bigint,
    attachment_id           uuid,

    primary key (org, seq),
    constraint seq_is_positive check (seq > 0)
);
comment on table ledger.events is 'The ledger. Rows are never updated or deleted; the database refuses.';
comment on column ledger.events.org is 'The organization whose ledger this is.';
comment on column ledger.events.seq is 'Number within the organization: 1, 2, 3 … without gaps, in commit order.';
comment on column ledger.events.recorded_at is 'When it was decided or done, by the database''s clock, under the ledger''s lock.';
comment on column ledger.events.type is 'What happened, in the past tense: booking.requested, booking.decided, policy.created …';
comment on column ledger.events.caused_by is 'The earlier event of this ledger that led to this one: a decision''s request, a repeat''s decision.';
comment on column ledger.events.payload is 'JSON with a version; null once erased.';
comment on column ledger.events.body is 'booking.requested: the request body, exactly as it came in.';
comment on column ledger.events.salt is '16 random bytes, so that a digest does not betray what it covers; null once erased.';
comment on column ledger.events.payload_digest is 'SHA-256 of salt, payload and, if there is one, a line feed and the body.';
comment on column ledger.events.chain is 'SHA-256 of the previous event''s chain, this payload_digest and this event''s header: org, seq, type, microseconds, cause.';
comment on column ledger.events.case_id is 'The Cubu case.';
comment on column ledger.events.request_digest is 'booking.decided: SHA-256 of the request body, by which a repeat is recognized.';
comment on column ledger.events.outcome is 'booking.decided: approved, modified or cancelled.';
comment on column ledger.events.unit_id is 'The booking''s unit.';
comment on column ledger.events.service_id is 'The booking''s service.';
comment on column ledger.events.service_category_id is 'The booking''s service category.';
comment on column ledger.events.service_type_id is 'The service type as decided (a rule may have changed it).';
comment on column ledger.events.cu_index is 'The calendar''s index; names a calendar only together with service and date.';
comment on column ledger.events.appointment_date is 'The calendar''s date.';
comment on column ledger.events.start_minute is 'Minutes past local midnight.';
comment on column ledger.events.duration is 'Minutes.';
comment on column ledger.events.channel is 'The channel as decided.';
comment on column ledger.events.booked_by is 'agent, or self-service when no user triggered the booking.';
comment on column ledger.events.customer_record_id is 'The linked customer as decided.';
comment on column ledger.events.triggered_by_user_email is 'The agent''s e-mail.';
comment on column ledger.events.cancellation_reason is 'What the person who booked was told.';
comment on column ledger.events.policy_kind is 'policy.*: the policy table, without its schema.';
comment on column ledger.events.policy_id_from is 'policy.*: the lowest policy id that the event covers.';
comment on column ledger.events.policy_id_to is 'policy.*: the highest policy id that the event covers.';
comment on column ledger.events.attachment_id is 'policy.*: where the rows of a large change are.';

-- One partial index each, so that an event row pays only for the columns that it has.
-- Where an index is only ever asked for equal keys, the one that tells rows apart comes first: of 20 comparisons on the way down a tree
-- 19 then look at no more than a uuid, where the organization's name is the same nearly always.
create index events_by_case on ledger.events (case_id, org, seq)
    where case_id is not null and type <> 'booking.requested';
create index events_by_policy on ledger.events (org, policy_kind, policy_id_to, seq)
    where policy_kind is not null;
create index events_by_policy_change on ledger.events (org, seq)
    where policy_kind is not null;

create type ledger.new_event as (
    seq                     bigint,
    recorded_at             timestamptz,
    type                    text,
    caused_by               bigint,
    payload                 text,
    body                    text,
    salt                    bytea,
    payload_digest          bytea,
    chain                   bytea,
    case_id                 uuid,
    request_digest          bytea,
    outcome                 text,
    unit_id                 uuid,
    service_id              uuid,
    service_category_id     uuid,
    service_type_id         uuid,
    cu_index                integer,
    appointment_date        date,
    start_minute            integer,
    duration                integer,
    channel                 text,
    booked_by               text,
    customer_record_id      uuid,
    triggered_by_user_email text,
    cancellation_reason     text
);
comment on type ledger.new_event is 'What the service appends of an event. Not the table''s own row type, so that a new column does not stop a process that is still of the version before.';

create table ledger.reservations (
    org                 text    not null,
    case_id             uuid    not null,
    decision_seq        bigint  not null,
    unit_id             uuid    not null,
    service_id          uuid    not null,
    service_category_id uuid,
    service_type_id     uuid,
    cu_index            integer not null,
    date                date    not null,
    start_minute        integer not null,
    duration            integer not null,
    starts_at           timestamptz not null,
    channel             text,
    booked_by           text    not null,
    customer_record_id  uuid,
    primary key (case_id, org)
);
comment on table ledger.reservations is 'The place that each approved booking holds, whatever the policies: a projection of the events, rebuildable from them.';
comment on column ledger.reservations.org is 'The organization.';
comment on column ledger.reservations.case_id is 'The case that holds the place: one place a case.';
comment on column ledger.reservations.decision_seq is 'The decision that approved it.';
comment on column ledger.reservations.unit_id is 'Where.';
comment on column ledger.reservations.service_id is 'For what; with date and cu_index, the calendar.';
comment on column ledger.reservations.service_category_id is 'The service category.';
comment on column ledger.reservations.service_type_id is 'The service type as decided.';
comment on column ledger.reservations.cu_index is 'The calendar''s index.';
comment on column ledger.reservations.date is 'The calendar''s date.';
comment on column ledger.reservations.start_minute is 'Minutes past local midnight.';
comment on column ledger.reservations.duration is 'Minutes.';
comment on column ledger.reservations.starts_at is 'The start as an instant.';
comment on column ledger.reservations.channel is 'The channel as decided.';
comment on column ledger.reservations.booked_by is 'agent or self-service.';
comment on column ledger.reservations.customer_record_id is 'The customer as decided.';

create index reservations_by_calendar on ledger.reservations (service_id, org, date, cu_index);
create index reservations_by_unit on ledger.reservations (unit_id, org, date);
create index reservations_by_customer on ledger.reservations (customer_record_id, org, date)
    where customer_record_id is not null;

create type ledger.new_place as (
    case_id             uuid,
    decision_seq        bigint,
    unit_id             uuid,
    service_id          uuid,
    service_category_id uuid,
    service_type_id     uuid,
    cu_index            integer,
    date                date,
    start_minute        integer,
    duration            integer,
    starts_at           timestamptz,
    channel             text,
    booked_by           text,
    customer_record_id  uuid
);
comment on type ledger.new_place is 'What the service appends of a reservation.';

create type ledger.counted_bucket as (
    service_id          uuid,
    unit_id             uuid,
    service_category_id uuid,
    service_type_id     uuid,
    cu_index            integer,
    channel             text,
    booked_by           text,
    date_from           date,
    date_until          date,
    from_minute         integer,
    to_minute           integer,
    weekdays            integer
);
comment on type ledger.counted_bucket is 'Which places the service asks to be counted; null: any. weekdays has a bit for each ISO weekday, 1 shifted by 1 to 7.';
