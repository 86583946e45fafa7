-- The events of a search; src/audit/events.rs puts the search before it as "found" and the order after it.
-- Binds: those of the search. Leans on events_pkey.
select
    e.seq,
    e.org,
    e.recorded_at,
    e.type,
    e.caused_by,
    e.case_id,
    e.policy_kind,
    e.policy_id_from,
    e.policy_id_to,
    e.attachment_id,
    e.payload,
    e.body,
    e.payload_digest,
    e.chain
from found
join ledger.events as e on e.seq = found.seq
