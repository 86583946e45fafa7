-- Forgets the expressions that are gone or compile now. $1: digests of those that do not. Few rows.
delete from policy.expression_problems
where digest <> all ($1::bytea[])
