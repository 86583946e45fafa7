-- Events of one ledger from a number on, up to another, in order, with their attachments: what a replay reads.
-- $1 org, $2 from, $3 up to, $4 at most so many. Leans on events_pkey and attachments_pkey; the inner limit keeps the planner to one look-up an event, so that
-- the order of the index is the order of the rows and nothing is sorted.
select
    e.seq, e.recorded_at, e.type, e.caused_by, e.payload, e.body, e.salt, e.payload_digest, e.chain,
    e.case_id, e.request_digest, e.outcome, e.unit_id, e.service_id, e.service_category_id, e.service_type_id, e.cu_index,
    e.appointment_date, e.start_minute, e.duration, e.channel, e.booked_by, e.customer_record_id, e.triggered_by_user_email,
    e.cancellation_reason, e.policy_kind, e.policy_id_from, e.policy_id_to, e.attachment_id,
    a.org as attachment_org, a.payload as attachment_payload, a.salt as attachment_salt, a.payload_digest as attachment_digest
from ledger.events e
left join lateral (
    select * from ledger.attachments a where a.attachment_id = e.attachment_id limit 1
) a on true
where e.org = $1 and e.seq >= $2 and e.seq <= $3
order by e.seq
limit $4
