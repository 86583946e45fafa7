-- What the check constraints of the policy tables (migrations/V2__policy.sql) ask, as it is today: what the service could not read
-- must not get in, or the policy would be left out of every decision.

-- One row of ISO weekdays: not a matrix, which cardinality and <@ alone would let pass.
create or replace function policy.is_weekdays(value smallint[]) returns boolean
    language sql immutable parallel safe
    return cardinality(value) between 1 and 7
        and array_ndims(value) = 1
        and value <@ array[1, 2, 3, 4, 5, 6, 7]::smallint[];

-- Strict: in lax mode a filter looks into arrays, and {"he": ["…"]} would pass.
create or replace function policy.is_translations(value jsonb) returns boolean
    language sql immutable parallel safe
    return jsonb_typeof(value) = 'object'
        and not jsonb_path_exists(value, 'strict $.* ? (@.type() <> "string")')
        and length(value::text) <= 8000;
