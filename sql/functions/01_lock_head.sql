-- Locks an organization's ledger until the transaction ends, and says where it stands and what time it is.
-- No row: no such organization.
-- A volatile PL/pgSQL function, because the clock must be read after the wait for the lock, and each statement in it takes a
-- fresh snapshot (PostgreSQL manual, "Function Volatility Categories").
create or replace function ledger.lock_head(p_org text)
returns table (last_seq bigint, last_chain bytea, policy_version bigint, now timestamptz)
language plpgsql volatile
as $$
declare
    head ledger.heads;
begin
    select * into head from ledger.heads h where h.org = p_org for no key update;
    if found then
        return query select head.last_seq, head.last_chain, head.policy_version,
                            greatest(ledger.clock(), head.last_recorded_at);
    end if;
end
$$;
comment on function ledger.lock_head(text) is 'Locks an organization''s ledger until the transaction ends. Who appends without it compares the head with where it was known to be.';
