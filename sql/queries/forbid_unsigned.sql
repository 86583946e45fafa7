-- Wants every webhook call signed. $1: org. By the primary key.
delete from access.unsigned_webhooks
where org = $1;
