-- V5 put what had been decided before it into blocks of 500 numbers, each named by the number that it ends with. The last block had not
-- come that far: it ends behind batches that came later, so that a search by policy went past their decisions, and `verify` told of disorder.
-- It ends with its last decision now, also if nothing has come later yet: the ledger's head has not reached the block's end then. What was
-- counted in that order is counted again.
with neighbours as (
    select
        h.org, h.policy_kind, h.policy_id, h.verdict, h.mode, h.batch_seq, h.seqs[cardinality(h.seqs)] as last_decision,
        lag(h.seqs[cardinality(h.seqs)]) over policy > h.seqs[1] or lead(h.seqs[1]) over policy <= h.batch_seq as overlap
    from ledger.policy_hits h
    window policy as (partition by h.org, h.policy_kind, h.policy_id, h.verdict, h.mode order by h.batch_seq)
), mended as (
    update ledger.policy_hits h
    set batch_seq = n.last_decision
    from neighbours n
    join ledger.heads d on d.org = n.org
    where (n.overlap or n.batch_seq > d.last_seq) and n.batch_seq > n.last_decision
        and h.org = n.org and h.policy_kind = n.policy_kind and h.policy_id = n.policy_id and h.verdict = n.verdict and h.mode = n.mode
        and h.batch_seq = n.batch_seq
    returning h.org, h.seqs[1] as first_decision
)
delete from ledger.decision_counts c
using (select m.org, min(m.first_decision) as first_decision from mended m group by m.org) as m
where c.org = m.org and c.last_seq >= m.first_decision;

comment on column ledger.policy_hits.batch_seq is 'The last event of the batch; of decisions from before V5 the end of their block of 500 numbers, or the last of them. Rows of a policy with one verdict and mode do not overlap, so their order is the order of their decisions.';
