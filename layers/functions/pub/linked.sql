-- What a case is linked to, inside the scope: places, things and organisations by name; of people only that there are.
create or replace function pub.linked(low text, high text, event_id bigint)
returns table (element text, kind text, category text, name text, n bigint)
language sql stable as $function$
    with link as (
        select l.kind, l.to_id, l.to_town_code
        from ops.event as e join ops.link as l on l.town_code = e.town_code and l.from_id = e.id
        cross join auth.actor() as a
        where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
            and ops.works_on(e, a.account, a.role, a.department)
    )
    select 'place', l.kind, p.category, p.name, 1 from link as l
    join ops.place as p on p.town_code = l.to_town_code and p.id = l.to_id
    where p.grid_code >= $1 and p.grid_code < $2 and not p.is_sensitive
    union all
    select 'thing', l.kind, t.category, t.name, 1 from link as l
    join ops.thing as t on t.town_code = l.to_town_code and t.id = l.to_id
    where t.grid_code >= $1 and t.grid_code < $2 and not t.is_sensitive
    union all
    select 'organisation', l.kind, o.category, o.name, 1 from link as l
    join ops.organisation as o on o.town_code = l.to_town_code and o.id = l.to_id
    where o.grid_code >= $1 and o.grid_code < $2 and not o.is_sensitive
    union all
    select 'person', min(l.kind), null, null, count(*) from link as l
    join vault.person as v on v.town_code = l.to_town_code and v.id = l.to_id
    having count(*) > 0
    order by 1, 4
$function$;
grant execute on function pub.linked to atlas_web;
