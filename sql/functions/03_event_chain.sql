-- The chain value of an event: it commits to the whole ledger before it. The service computes the same in src/ledger/digest.rs.
create or replace function ledger.chain(
    previous bytea, payload_digest bytea, org text, seq bigint, type text, recorded_at timestamptz, caused_by bigint)
returns bytea
language sql immutable parallel safe
return sha256(previous || payload_digest || convert_to(
    concat_ws(' ', org, seq::text, type, ((extract(epoch from recorded_at) * 1000000)::bigint)::text, coalesce(caused_by, 0)::text),
    'UTF8'));
comment on function ledger.chain(bytea, bytea, text, bigint, text, timestamptz, bigint)
    is 'SHA-256 of the previous chain value, the payload digest and the header "org seq type microseconds cause".';
