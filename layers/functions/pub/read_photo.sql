-- One photo of a case that the session works on.
create or replace function pub.read_photo(low text, high text, photo_id bigint)
returns bytea
language sql stable as $function$
    select p.jpeg
    from ops.photo as p join ops.event as e on e.town_code = p.town_code and e.id = p.event_id
    cross join auth.actor() as a
    where p.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
        and ops.works_on(e, a.account, a.role, a.department)
$function$;
grant execute on function pub.read_photo to atlas_web;
