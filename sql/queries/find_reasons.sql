-- The distinct cancellation reasons that have a part, whatever its case, as their hashes.
-- $1 org, $2 the part. Leans on decisions_by_reason: from each distinct reason to the next, by one look into the index. Reasons are
-- the policies' messages, so few are distinct.
with recursive reasons as (
    (
        select hashtextextended(e.cancellation_reason, 0) as hash, e.cancellation_reason as reason
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.cancellation_reason is not null
        order by hashtextextended(e.cancellation_reason, 0), e.seq
        limit 1
    )
    union all
    select next.hash, next.reason
    from reasons
    cross join lateral (
        select hashtextextended(e.cancellation_reason, 0) as hash, e.cancellation_reason as reason
        from ledger.events as e
        where e.org = $1 and e.type = 'booking.decided' and e.cancellation_reason is not null
            and hashtextextended(e.cancellation_reason, 0) > reasons.hash
        order by hashtextextended(e.cancellation_reason, 0), e.seq
        limit 1
    ) as next
)
select hash from reasons where strpos(lower(reason), lower($2)) > 0
