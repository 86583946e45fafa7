-- Policies with any of these expressions, for the log. $1: digests of expressions. At most 20 rows.
select e.org, e.kind, e.id, e.part, p.problem
from policy.expression_problems p
join policy.expressions e on sha256(convert_to(e.expression, 'UTF8')) = p.digest
where p.digest = any ($1::bytea[])
order by e.org, e.kind, e.id
limit 20
