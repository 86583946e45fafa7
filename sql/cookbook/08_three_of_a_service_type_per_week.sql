-- Only 3 appointments of one service type a week.
--
-- What it does: counts the appointments of that service type over all calendars of a service, from Monday to Sunday of the appointment's
-- date, and refuses the fourth. Other service types neither count nor are refused.
-- To undo: delete from policy.capacity_caps where name = '3 long ones a week';
insert into policy.capacity_caps (name, service_type_id, counted_per, period, max_appointments, message)
values (
    '3 long ones a week', '108165ca-8277-4284-a073-432b6d20219c', 'service', 'week', 3,
    'This type is fully booked in this week.');
