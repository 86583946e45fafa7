-- Reports expressions that do not compile; answers the digests of those that are news. $1: expressions; $2: their problems, as many.
-- Leans on expression_problems_pkey.
insert into policy.expression_problems (digest, expression, problem)
select sha256(convert_to(e.expression, 'UTF8')), e.expression, e.problem
from unnest($1::text[], $2::text[]) as e (expression, problem)
on conflict (digest) do update set problem = excluded.problem, found_at = excluded.found_at
where expression_problems.problem <> excluded.problem
returning digest
