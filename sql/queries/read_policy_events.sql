-- Policy events from one number on, oldest first, with all of their rows.
-- $1 org, $2 from. Leans on events_by_policy_change.
select e.seq, e.policy_kind as kind, e.payload, a.payload as attachment
from ledger.events e
left join ledger.attachments a on a.attachment_id = e.attachment_id
where e.org = $1 and e.seq >= $2 and e.policy_kind is not null
order by e.seq
