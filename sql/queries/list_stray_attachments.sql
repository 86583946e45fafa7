-- Attachments that no event names, or that belong to no ledger.
-- $1 the organizations that have a ledger. Leans on events_by_policy_change; reads the attachments' keys.
select a.org, a.attachment_id::text as key, json_build_object('payload_digest', encode(a.payload_digest, 'hex'))::text as row
from ledger.attachments a
where a.org <> all ($1)
   or not exists (
       select from ledger.events e
       where e.policy_kind is not null and e.attachment_id = a.attachment_id
   )
