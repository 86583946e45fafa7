-- Events of one ledger from a number on, up to another, in order, with their attachments: what a replay reads. COPY takes no parameters:
-- choose_events.sql sets them before, for the transaction. Leans on events_pkey and attachments_pkey; the inner limit keeps the planner to
-- one look-up an event, so that the order of the index is the order of the rows and nothing is sorted.
copy (
    select
        e.seq, e.recorded_at, e.type, e.caused_by, e.payload, e.body, e.salt, e.payload_digest, e.chain,
        e.case_id, e.request_digest, e.outcome, e.unit_id, e.service_id, e.service_category_id, e.service_type_id, e.cu_index,
        e.appointment_date, e.start_minute, e.duration, e.channel, e.booked_by, e.customer_record_id, e.triggered_by_user_email,
        e.cancellation_reason, e.policy_kind, e.policy_id_from, e.policy_id_to, e.attachment_id,
        a.org, a.payload, a.salt, a.payload_digest
    from ledger.events e
    left join lateral (
        select * from ledger.attachments a where a.attachment_id = e.attachment_id limit 1
    ) a on true
    where e.org = current_setting('bookwarden.events_of')
        and e.seq >= current_setting('bookwarden.events_from')::bigint
        and e.seq <= current_setting('bookwarden.events_to')::bigint
    order by e.seq
    limit current_setting('bookwarden.events_at_most')::bigint
) to stdout (format binary)
