-- One whose condition is evaluated for every booking and never holds, and two that do not concern them.
insert into policy.rules (org, name, condition, cancel)
select o.org, 'no bookings for tests', 'status == "Test" && minutesUntilStart > 0', true
from policy.organizations o;

insert into policy.rules (org, name, channel, add_tags)
select o.org, 'tag ' || channel, channel, array['0b6f2a1e-9c3d-4e57-8d2f-6a7b8c9d0e1f'::uuid]
from policy.organizations o, unnest(array['Video', 'Phone']) as channel;
