-- Forgets the expressions that are gone or compile now. $1: those that do not. Few rows.
delete from policy.expression_problems
where expression <> all ($1)
