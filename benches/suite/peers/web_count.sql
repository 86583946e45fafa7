with taken as (
    select count(*) as used
    from peer.reservations r
    where r.org = 'default' and r.service_id = $1 and r.date = $2 and r.cu_index = $3
)
select c.id, c.max_appointments, t.used
from peer.caps c, taken t
where c.org = 'default' and c.service_id = $1
union all
select c.id, c.max_appointments, t.used
from peer.caps c, taken t
where c.org = 'default' and c.service_id is null
