-- Reservations that belong to no ledger.
-- $1 the organizations that have a ledger. Reads the table.
select r.org, r.case_id::text as key, row_to_json(r)::text as row from ledger.reservations r where r.org <> all ($1)
