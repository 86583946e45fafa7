-- What this transaction has changed of the policies so far, oldest first, in the form of the events that its commit would append.
-- No binds. Leans on staged_changes_by_transaction.
select
    c.org,
    c.kind,
    json_build_object(
        'version', 1, 'id', case when c.attachment_id is null then c.policy_id_from end,
        'old', c.old_row::json, 'new', c.new_row::json)::text as payload,
    a.payload as attachment
from policy.staged_changes c
left join ledger.attachments a using (attachment_id)
where c.transaction_id = pg_current_xact_id()
order by c.staged_id
