-- What is counted of a part of the ledger, by one trait. $1 org, $2 by what, $3 first number, $4 number after the last, $5 the buckets'
-- first numbers. Leans on decision_counts_pkey.
-- Positions are only read of a range that does not lie within the part and within one bucket: most of a row is positions.
select
    c.first_seq, c.last_seq, c.keys, c.decisions, c.newest, width_bucket(c.first_seq, $5::bigint[]) as bucket,
    case
        when c.first_seq < $3 or c.last_seq >= $4 or width_bucket(c.first_seq, $5::bigint[]) <> width_bucket(c.last_seq, $5::bigint[])
        then c.positions
    end as positions
from ledger.decision_counts c
where c.org = $1 and c.counted_by = $2
    -- No range is longer than that.
    and c.first_seq > $3 - 65536 and c.first_seq < $4 and c.last_seq >= $3
order by c.first_seq
