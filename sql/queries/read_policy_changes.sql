-- Policy events after one number, up to another, oldest first. The blocklist's rows are not kept in memory: of those only that
-- they changed.
-- $1 org, $2 after, $3 up to. Leans on events_by_policy_change.
select e.seq, e.policy_kind as kind,
       case when e.policy_kind <> 'customer_blocklist' then e.payload end as payload,
       case when e.policy_kind <> 'customer_blocklist' then a.payload end as attachment
from ledger.events e
left join ledger.attachments a on a.attachment_id = e.attachment_id
where e.org = $1 and e.seq > $2 and e.seq <= $3 and e.policy_kind is not null
order by e.seq
