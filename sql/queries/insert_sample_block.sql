-- A blocked customer to look at, whom no sample books for. No binds.
insert into policy.customer_blocklist (name, customer_record_id, message, note)
values (
    'sample: blocked customer', 'b10c0000-0000-4000-8000-000000000000',
    'Please call us to book.', 'Made by bookwarden dev on its first run.'
);
