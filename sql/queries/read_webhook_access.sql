-- One organization's webhook secrets: one row a secret, one row if it has none, no row if there is no such organization.
-- $1 org. Leans on heads_pkey, webhook_secrets_by_org and unsigned_webhooks_pkey.
select
    heads.org,
    unsigned.org is not null as accepts_unsigned,
    secrets.id,
    secrets.secret,
    secrets.expires_at
from ledger.heads as heads
left join access.webhook_secrets as secrets on secrets.org = heads.org
left join access.unsigned_webhooks as unsigned on unsigned.org = heads.org
where heads.org = $1
order by secrets.id desc
