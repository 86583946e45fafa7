-- Whether a table has been emptied, or written anew, since this snapshot was taken: TRUNCATE gives it a new file, in which older
-- snapshots, too, find nothing. pg_class is read by the snapshot, pg_relation_filenode is today's.
-- $1 the table, with its schema. Leans on pg_class_oid_index.
select c.relfilenode <> pg_relation_filenode(c.oid) from pg_class c where c.oid = to_regclass($1)
