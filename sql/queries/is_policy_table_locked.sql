-- Whether this transaction keeps readers, and so bookings, out of a policy table: what TRUNCATE and ALTER TABLE do.
-- No binds; reads the locks of this process.
select exists (
    select
    from pg_locks l
    join pg_class c on c.oid = l.relation
    where l.pid = pg_backend_pid() and l.mode = 'AccessExclusiveLock'
        and c.relnamespace = 'policy'::regnamespace and c.relkind = 'r'
)
