-- A daily cap that VIPs pass.
--
-- What it does: at most 3 appointments a day in each calendar, but a case with the VIP tag is not judged. Its appointment takes a place
-- all the same: applies_when says who is judged, not what is counted.
-- By a case field instead of a tag: applies_when = $$fields['b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10'] != 'VIP'$$
-- To undo: delete from policy.capacity_caps where name = '3 a day, VIPs pass';
insert into policy.capacity_caps (name, max_appointments, applies_when, message)
values (
    '3 a day, VIPs pass', 3, $$!('7a1f0c52-3f44-4c0b-9d0e-5b8f1f6c2d10' in tagIds)$$,
    'No more appointments are left on this day.');
