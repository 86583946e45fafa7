-- The distinct cancellation reasons that have a part, whatever its case, as their hashes.
-- $1 org, $2 the part. Leans on decisions_by_reason: from each distinct reason to the next, by one look into the index. Reasons are
-- the policies' messages, so few are distinct.
with recursive reasons as (
    (
        select e.reason_hash as hash, e.cancellation_reason as reason
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.reason_hash is not null
        order by e.reason_hash, e.seq
        limit 1
    )
    union all
    select next.hash, next.reason
    from reasons
    cross join lateral (
        select e.reason_hash as hash, e.cancellation_reason as reason
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.reason_hash is not null
            and e.reason_hash > reasons.hash
        order by e.reason_hash, e.seq
        limit 1
    ) as next
)
select hash from reasons where strpos(lower(reason), lower($2)) > 0
