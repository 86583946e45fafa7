-- Try a cap before it refuses anybody.
--
-- What it does: nothing to any booking. In shadow it is evaluated and recorded with each decision, so that one can read afterwards what it
-- would have done: as an auditor in GET /v1/decisions (each decision's "policies": mode "shadow", verdict "refused").
-- To make it real: update policy.capacity_caps set mode = 'enforce' where name = 'Pilot: 1 a day';
-- To undo: delete from policy.capacity_caps where name = 'Pilot: 1 a day';
insert into policy.capacity_caps (name, mode, max_appointments, message)
values ('Pilot: 1 a day', 'shadow', 1, 'This day is full.');
