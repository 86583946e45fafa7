-- Moves a ledger's head past events that this transaction has appended without it, if it is where they follow it. For a batch that was
-- written while the one before it was still under way: nothing of it counts before this. It waits for nobody: who holds the head now may
-- itself wait for the numbers that this transaction has given.
create or replace function ledger.move_head(
    p_org text, p_from_seq bigint, p_from_chain bytea, p_last_seq bigint, p_last_chain bytea, p_last_recorded_at timestamptz)
returns void
language plpgsql volatile
as $$
begin
    perform from ledger.heads h
    where h.org = p_org and h.last_seq = p_from_seq and h.last_chain = p_from_chain
    for no key update nowait;
    if not found then
        raise exception 'the head of ledger % is not at event %', p_org, p_from_seq using errcode = 'serialization_failure';
    end if;
    update ledger.heads
    set last_seq = p_last_seq, last_chain = p_last_chain, last_recorded_at = p_last_recorded_at
    where org = p_org;
end
$$;
comment on function ledger.move_head(text, bigint, bytea, bigint, bytea, timestamptz) is
    'Moves the head past events that this transaction has appended, if it is where they follow it and nobody holds it.';
