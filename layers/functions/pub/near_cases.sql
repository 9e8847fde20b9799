-- Open cases of a category near a point and not too old, for who works on them: what may be the same thing. Nothing of
-- a sensitive case.
create or replace function pub.near_cases(
    low text, high text, category text, lon double precision, lat double precision, metres double precision,
    since timestamptz
)
returns table (
    id bigint, grid_code text, state text, reported_at timestamptz, summary text, distance_m double precision
)
language sql stable as $function$
    select e.id, e.grid_code, e.state, e.reported_at, e.summary, st_distancesphere(e.geom, p.point)
    from (select st_setsrid(st_makepoint($4, $5), 4490) as point) as p
    cross join auth.actor() as a
    join ops.event as e on e.geom && st_expand(p.point, $6 / 111000 / cosd($5), $6 / 110000)
    where auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.category = $3 and not e.is_sensitive
        and e.gone_on is null and e.reported_at >= $7 and e.state not in ('closed', 'refused')
        and ops.works_on(e, a.account, a.role, a.department)
        and st_geometrytype(e.geom) = 'ST_Point' and st_distancesphere(e.geom, p.point) <= $6
    order by 6, e.id
$function$;
grant execute on function pub.near_cases to atlas_web;
