-- Says why in the ledger, for this transaction. No binds.
select set_config('bookwarden.reason', 'sample policies of bookwarden dev', true);
