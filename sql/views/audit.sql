-- What an auditor's SQL tool sees: the ledger with words for columns. Payloads are json, never jsonb: a case field may hold \u0000, which
-- jsonb refuses. So does "->" of json, which reads all of it, so where there is such an escape, or room for thousands of brackets, the members of a decision are taken out by
-- where they stand (src/ledger/booking.rs writes them): "policies" is the last, and its own texts have no such member. Numbers stand
-- within the first hundred bytes, "policyVersion" behind the second colon. Patterns are slow, so they are for the few.
-- A view is made anew by every migrate; its columns may only be added to, at the end.
create or replace view audit.events as
select
    e.org, e.seq as event_id, e.recorded_at, e.type, e.caused_by, e.case_id, e.policy_kind, e.policy_id_from, e.policy_id_to,
    e.payload::json as payload, e.body as request_body, encode(e.payload_digest, 'hex') as payload_digest, encode(e.chain, 'hex') as chain
from ledger.events e;
comment on view audit.events is 'Every event of every ledger: what was asked, answered and changed.';
comment on column audit.events.event_id is 'Its number in its organization''s ledger.';
comment on column audit.events.caused_by is 'The earlier event that led to it: a decision''s request, a repeat''s decision.';
comment on column audit.events.payload is 'What it says; null once erased.';
comment on column audit.events.request_body is 'The body of the call that led to it, exactly as it came in: booking.requested, booking.confirmed, booking.released, case.closed.';

create or replace view audit.decisions as
select
    e.org, e.seq as decision_id, e.caused_by as request_id, e.recorded_at as decided_at, e.outcome, e.cancellation_reason, e.case_id,
    e.customer_record_id, e.unit_id, e.service_id, e.service_category_id, e.service_type_id, e.cu_index, e.appointment_date,
    e.start_minute, e.appointment_date + make_interval(mins => e.start_minute) as appointment_starts, e.duration, e.channel, e.booked_by,
    e.triggered_by_user_email, split_part(split_part(left(e.payload, 100), ':', 3), ',', 1)::bigint as policy_version,
    case when strpos(e.payload, '\u') = 0 and length(e.payload) < 10000 then e.payload::json -> 'policies'
         else substring(e.payload from '^.*,"policies":(\[.*\])\}$')::json end as policies,
    -- The answer that books what was asked for is not written down.
    case when e.payload is not null then coalesce(
        case when strpos(e.payload, '\u') = 0 then e.payload::json -> 'response'
             else substring(e.payload from
                '^\{"version":\d+,"policyVersion":\d+(?:,"movedFrom":\d+)?(?:,"startsAt":"[^"]*")?,"response":(\{.*\}),"policies":\[.*\]\}$')::json
        end,
        '{"fields":null,"tagIds":null,"removeCustomer":false,"customerRecordId":null,"useCustomerContactInfo":false,"contactPhoneNumber":null,"contactEmail":null,"serviceTypeId":null,"channel":null,"preventSelfCheckIn":null,"cancelled":false,"cancellationReason":null}'::json)
    end as response,
    case when strpos(left(e.payload, 100), ',"movedFrom":') > 0
         then substring(left(e.payload, 100) from '^\{"version":\d+,"policyVersion":\d+,"movedFrom":(\d+)')::bigint
    end as moved_from
from ledger.events e
where e.type = 'booking.decided';
comment on view audit.decisions is 'Every decision: what came of a booking, and the policies that made it.';
comment on column audit.decisions.outcome is 'approved, modified or cancelled.';
comment on column audit.decisions.cancellation_reason is 'What the person who booked was told.';
comment on column audit.decisions.appointment_starts is 'Local time of the calendar.';
comment on column audit.decisions.policy_version is 'The newest policy event that it saw: audit.policies_as_of(org, policy_version) are its policies.';
comment on column audit.decisions.policies is 'JSON array: every policy that applied, with its verdict and what it compared.';
comment on column audit.decisions.moved_from is 'The decision whose place was freed for this one, as the case had moved; null if none was.';

create or replace view audit.decision_policies as
select h.org, s.decision_id, h.policy_kind, h.policy_id, h.verdict, h.mode
from ledger.policy_hits h
cross join unnest(h.seqs) as s (decision_id);
comment on view audit.decision_policies is 'Which policies each decision met: a row a decision and policy. Joins audit.decisions by org and decision_id.';
comment on column audit.decision_policies.verdict is 'allowed, refused, changed or error.';
comment on column audit.decision_policies.mode is 'enforce or shadow: a shadow policy changed nothing.';

create or replace view audit.policy_changes as
select
    e.org, e.seq as event_id, e.recorded_at as changed_at, e.type, e.policy_kind, e.policy_id_from as policy_id,
    e.payload::json -> 'old' as old_row, e.payload::json -> 'new' as new_row,
    e.payload::json -> 'changedBy' ->> 'user' as changed_by, e.payload::json -> 'changedBy' ->> 'application' as application,
    e.payload::json -> 'changedBy' ->> 'transaction' as transaction, e.payload::json -> 'changedBy' ->> 'reason' as reason
from ledger.events e
where e.policy_kind is not null and e.attachment_id is null
union all
select
    e.org, e.seq, e.recorded_at, e.type, e.policy_kind, (r.value ->> 'id')::bigint, r.value -> 'old', r.value -> 'new',
    e.payload::json -> 'changedBy' ->> 'user', e.payload::json -> 'changedBy' ->> 'application',
    e.payload::json -> 'changedBy' ->> 'transaction', e.payload::json -> 'changedBy' ->> 'reason'
from ledger.events e
join ledger.attachments a using (attachment_id)
cross join json_array_elements(a.payload::json) r
where e.policy_kind is not null;
comment on view audit.policy_changes is 'Every change of every policy row: who, when, in which transaction, why, from what to what.';
comment on column audit.policy_changes.reason is 'What the transaction said by set local bookwarden.reason.';

create or replace view audit.cases as
select
    r.org, r.case_id, r.decision_seq as decision_id, r.unit_id, r.service_id, r.service_category_id, r.service_type_id, r.cu_index,
    r.date as appointment_date, r.start_minute, r.duration, r.channel, r.booked_by, r.customer_record_id
from ledger.reservations r;
comment on view audit.cases is 'The place that each case holds now. A case''s story is in audit.events.';

create or replace view audit.tokens as
select t.id as token_id, t.org, t.name, t.role, t.created_at, t.expires_at, t.revoked_at
from access.audit_tokens t;
comment on view audit.tokens is 'Who may ask the audit API; never the tokens.';
