-- Every expression once. No binds. Leans on the partial indexes customer_blocklist_with_expression and capacity_caps_with_expression.
select distinct expression from policy.expressions
