-- Block a whole e-mail domain.
--
-- What it does: a rule cancels every booking whose e-mail field ends with the domain. (The blocklist compares whole values; a rule can look
-- at a part.) A case without an e-mail is not affected.
-- To undo: delete from policy.rules where name = 'Spam domain';
insert into policy.rules (name, condition, cancel, message)
values (
    'Spam domain', $$fields['cd439a62-c78a-413f-bb42-cc4dd720375c'].trim().lowerAscii().endsWith('@spam.example')$$, true,
    'Please call us to book.');
