-- Tag bookings that come less than a day ahead.
--
-- What it does: adds the tag to the tags that the case has. The service category must define the tag. The booking itself goes through.
-- To undo: delete from policy.rules where name = 'Late booking'; tags that were set stay.
insert into policy.rules (name, condition, add_tags)
values ('Late booking', $$minutesUntilStart < 24 * 60$$, '{d3b07384-d113-4ec5-a58a-6b1f2c3d4e5f}');
