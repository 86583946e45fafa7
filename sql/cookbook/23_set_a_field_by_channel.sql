-- Note in a case field how the customer comes.
--
-- What it does: two rules; each sets one case field for its channel and keeps all the others.
-- To undo: delete from policy.rules where name like 'Arrival: %';
insert into policy.rules (name, channel, set_fields)
values
    ('Arrival: link', 'Video', '{"b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10": "Sends a video link"}'),
    ('Arrival: in person', 'FaceToFace', '{"b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10": "Comes to the branch"}');
