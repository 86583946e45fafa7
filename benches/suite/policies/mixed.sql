-- On top of the others, for `mixed/`: policies of every kind that bite, of every mode, and expressions that fail. As in life, most
-- concern a service, a unit, a channel or a category; a decision meets some eight policies in all.
insert into policy.capacity_caps (org, name, service_id, counted_per, period, max_appointments, message, translations)
select o.org, 'tight ' || n, ('5e410000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'service', 'day', 6, 'That day is full',
       '{"he": "היום מלא", "en-GB": "Fully booked, sorry"}'
from policy.organizations o, generate_series(0, 299) as n;

insert into policy.capacity_caps
    (org, name, mode, unit_id, channel, counted_per, period, max_appointments, max_minutes, from_minute, to_minute, weekdays, applies_when)
select o.org, v.name, v.mode, ('04170000-0000-4000-8000-' || lpad(to_hex(v.unit), 12, '0'))::uuid, v.channel, v.counted_per, v.period,
       v.max_appointments, v.max_minutes, v.from_minute, v.to_minute, v.weekdays, v.applies_when
from policy.organizations o, (
    select 'one a slot' as name, 'enforce' as mode, n as unit, null as channel, 'calendar' as counted_per, 'slot' as period,
           1 as max_appointments, null::integer as max_minutes, null::integer as from_minute, null::integer as to_minute,
           null::smallint[] as weekdays, null as applies_when
    from generate_series(0, 49) as n
    union all
    select 'unit by week', 'shadow', n, null, 'unit', 'week', null, 900, null, null, null, 'channel != "Phone"'
    from generate_series(0, 99, 3) as n
    union all
    values
        ('video by month', 'enforce', null::integer, 'Video', 'service', 'month', 400, null::integer, null::integer, null::integer, null::smallint[], 'bookedBy == "self-service"'),
        ('mornings', 'enforce', null, 'Phone', 'calendar', 'day', 4, null, 480, 600, '{1,2,3,4,5}', null),
        ('off', 'off', null, null, 'calendar', 'day', 0, null, null, null, null, null)) as v;

insert into policy.customer_limits (org, name, mode, channel, booked_by, max_appointments, period, gap_minutes, forbid_overlap, applies_when)
select o.org, v.*
from policy.organizations o, (values
    ('four a week', 'enforce', 'Video', null, 4, 'week', null::integer, false, 'customerRecordId != null'),
    ('apart', 'shadow', 'Phone', null, null, 'upcoming', 120, true, null),
    ('no two at once', 'enforce', null, 'agent', null, 'upcoming', null, true, 'language == "he"')) as v;

insert into policy.blackouts (org, name, mode, weekdays, from_minute, to_minute, message, applies_when, on_error)
select o.org, v.*
from policy.organizations o, (values
    ('Sunday', 'enforce', '{7}'::smallint[], null::integer, null::integer, 'Closed', null, 'ignore'),
    ('lunch', 'shadow', null, 720, 780, null, null, 'ignore'),
    ('fails at run time', 'enforce', '{1,2,3,4,5,6,7}', 900, 905, 'Cannot be judged', 'fields["4848ba2d-a80a-4f3c-b170-578d19899e2f"] > 3', 'cancel')) as v;

insert into policy.booking_windows (org, name, mode, channel, min_notice_minutes, max_days_ahead, applies_when)
select o.org, v.*
from policy.organizations o, (values
    ('nearer for video', 'enforce', 'Video', null::integer, 50, 'selfService'),
    ('notice', 'shadow', 'Phone', 43200, null, null)) as v;

insert into policy.rules
    (org, name, mode, channel, booked_by, priority, condition, cancel, add_tags, set_channel, set_fields, remove_customer, message, on_error)
select o.org, v.*
from policy.organizations o, (values
    ('tag the late', 'enforce', 'Video', null, 10, 'minuteOfDay >= 840', false, '{7d000000-0000-4000-8000-000000000001}'::uuid[],
        null, null::jsonb, false, null, 'ignore'),
    ('foreign numbers', 'enforce', null, 'agent', 20, '!fields["4848ba2d-a80a-4f3c-b170-578d19899e2f"].matches(r''^\+972\d{9}$'')', false,
        '{7d000000-0000-4000-8000-000000000002}', null, '{"b7a9e2d0-52a5-4d0d-8a53-1c8d9f4b6a10": "Foreign \"number\" – זר"}', false, null, 'ignore'),
    ('kiosk', 'enforce', null, 'self-service', 30, 'language == null', false, null, 'Kiosk', null, true, null, 'ignore'),
    ('spam', 'enforce', null, null, 40, 'fields["cd439a62-c78a-413f-bb42-cc4dd720375c"].lowerAscii().endsWith("7@example.com")', true,
        null, null, null, false, 'Not for you', 'ignore'),
    ('spam, tried', 'shadow', 'Phone', null, 41, 'tagIds.exists(tag, tag.startsWith("7d"))', true, null, null, null, false, null, 'ignore'),
    ('fails at run time', 'enforce', null, 'agent', 50, 'ticket.number / (appointment.cuIndex - 3) > 0 && false', false,
        '{7d000000-0000-4000-8000-000000000003}', null, null, false, null, 'ignore'),
    ('does not compile', 'shadow', 'Video', null, 60, 'nonsense ==', true, null, null, null, false, 'Never', 'ignore')) as v;

insert into policy.customer_blocklist (org, customer_record_id)
select o.org, ('c0570000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
from policy.organizations o, generate_series(0, 19999, 500) as n;
