-- A cap to look at, on a calendar that no sample uses. No binds.
insert into policy.capacity_caps (name, cu_index, max_appointments, message, note)
values (
    'sample: 3 a day', 9, 3, 'This calendar takes 3 appointments a day, and they are taken.',
    'Made by bookwarden dev on its first run. Try it: bookwarden send --new-case --cuindex 9'
);
