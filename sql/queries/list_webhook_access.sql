-- Every organization with its webhook secrets: one row a secret, and one row for an organization without any.
-- Binds: none. Reads three small tables whole; runs when a secret changes and every half minute.
select
    heads.org,
    unsigned.org is not null as accepts_unsigned,
    secrets.id,
    secrets.secret,
    secrets.expires_at
from ledger.heads as heads
left join access.webhook_secrets as secrets on secrets.org = heads.org
left join access.unsigned_webhooks as unsigned on unsigned.org = heads.org
order by heads.org, secrets.id desc
