-- A refusal in the customer's language.
--
-- What it does: closes one day with a message in Hebrew for bookings in Hebrew (he, he-IL, …), in English for all others.
-- To undo: delete from policy.blackouts where name = 'Staff day';
insert into policy.blackouts (name, from_date, message, translations)
values ('Staff day', '2027-03-09', 'We are closed on this day.', '{"he": "אנחנו סגורים ביום זה."}');
