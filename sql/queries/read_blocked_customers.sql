-- Rows of the blocklist by their ids, as they are now. $1 org, $2 ids. Leans on customer_blocklist_pkey.
select b.id, b.name, b.mode from policy.customer_blocklist b where b.org = $1 and b.id = any ($2)
