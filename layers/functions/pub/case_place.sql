-- Whether the session works on a case, and where it lies.
create or replace function pub.case_place(low text, high text, event_id bigint)
returns table (is_worked_on boolean, lon double precision, lat double precision)
language sql stable as $function$
    select ops.works_on(e, a.account, a.role, a.department),
        case when st_geometrytype(e.geom) = 'ST_Point' then st_x(e.geom) end,
        case when st_geometrytype(e.geom) = 'ST_Point' then st_y(e.geom) end
    from ops.event as e cross join auth.actor() as a
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
$function$;
grant execute on function pub.case_place to atlas_web;
