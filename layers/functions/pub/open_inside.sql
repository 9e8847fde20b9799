-- Open events inside a shape, and those known by their grid alone in one of the codes: the late ones first, no more than
-- `most` of a category, with how many there are of it and how many of them are late. The number of a case is for who
-- works on it. Nothing sensitive, nobody's words.
create or replace function pub.open_inside(
    low text, high text, shape geometry, target geometry, codes text[], moment timestamptz, most integer
)
returns table (
    id bigint, category text, state text, grid_code text, reported_at timestamptz, due_at timestamptz,
    is_urgent boolean, is_late boolean, lon double precision, lat double precision, distance_m double precision,
    n bigint, n_late bigint
)
language plpgsql stable as $function$
declare
    who record;
begin
    if not auth.covers(low, high) then
        return;
    end if;
    select a.* into who from auth.actor() as a;
    return query execute $query$
        with found as (
            select e.*, coalesce(e.due_at < $6, false) as late, ST_PointOnSurface(e.geom) as spot
            from ops.event as e
            where e.state not in ('refused', 'closed') and e.gone_on is null and not e.is_sensitive
                and e.grid_code = any ($5) and e.grid_code >= $1 and e.grid_code < $2
                and case when e.geom is null then length(e.grid_code) >= 12 else ST_Intersects(e.geom, $3) end
        ), ranked as (
            select f.*, count(*) over of_category as n, count(*) filter (where f.late) over of_category as n_late,
                row_number() over (partition by f.category order by f.late desc, f.due_at, f.id) as rank
            from found as f
            window of_category as (partition by f.category)
        )
        select case when ops.works_on(o, $8, $9, $10) then r.id end, r.category, r.state, r.grid_code, r.reported_at,
            r.due_at, r.is_urgent, r.late, ST_X(r.spot), ST_Y(r.spot),
            ST_Distance(r.geom::geography, $4::geography), r.n, r.n_late
        from ranked as r join ops.event as o on o.town_code = r.town_code and o.id = r.id
        where r.rank <= $7
        order by r.late desc, r.due_at, r.id
    $query$ using low, high, shape, target, codes, moment, most, who.account, who.role, who.department;
end
$function$;
grant execute on function pub.open_inside to atlas_web, atlas_analyst;
