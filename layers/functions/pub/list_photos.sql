-- Photos of a case that the session works on, the first first; the picture itself is read by pub.read_photo.
create or replace function pub.list_photos(low text, high text, event_id bigint)
returns table (id bigint, at timestamptz, width smallint, height smallint)
language sql stable as $function$
    select p.id, p.at, p.width, p.height
    from ops.event as e cross join auth.actor() as a
    join ops.photo as p on p.town_code = e.town_code and p.event_id = e.id
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
        and ops.works_on(e, a.account, a.role, a.department)
    order by p.at, p.id
$function$;
grant execute on function pub.list_photos to atlas_web;
