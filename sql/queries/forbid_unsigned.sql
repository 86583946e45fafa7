-- Wants every webhook call signed. $1: org. No row: that was so already. By the primary key.
delete from access.unsigned_webhooks
where org = $1
returning session_user::text;
