-- The digest of an event's content. The service computes the same in src/ledger/digest.rs.
create or replace function ledger.payload_digest(salt bytea, payload text, body text default null)
returns bytea
language sql immutable parallel safe
return sha256(salt || convert_to(payload || coalesce(E'\n' || body, ''), 'UTF8'));
comment on function ledger.payload_digest(bytea, text, text) is 'SHA-256 of salt, payload and, if there is one, a line feed and the body.';
