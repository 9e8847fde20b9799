-- Places, things and organisations of some categories inside a shape, and those known by their grid alone in one of the
-- codes: what has to be protected. `passed_over` has category/state pairs that do not count, `told` the declared columns
-- that are given. No more than `most` of a category, the nearest to `target` first, with how many there are in all.
create or replace function pub.found_inside(
    low text, high text, shape geometry, target geometry, codes text[], datasets text[], categories text[],
    passed_over text[], told text[], most integer
)
returns table (
    element text, id bigint, category text, name text, state text, grid_code text, lon double precision,
    lat double precision, distance_m double precision, attrs jsonb, n bigint
)
language plpgsql stable as $function$
declare
    one text;
begin
    if not auth.covers(low, high) then
        return;
    end if;
    foreach one in array array['place', 'thing', 'organisation'] loop
        return query execute format($query$
            with found as (
                select e.* from ops.%1$I as e where e.geom && $3 and ST_Intersects(e.geom, $3)
                    and e.grid_code >= $1 and e.grid_code < $2
                union all
                select e.* from ops.%1$I as e where e.geom is null and e.grid_code = any ($5)
                    and e.grid_code >= $1 and e.grid_code < $2
            ), counted as (
                select f.*, ST_PointOnSurface(f.geom) as spot,
                    ST_Distance(f.geom::geography, $4::geography) as away_m
                from found as f
                where f.dataset = any ($6) and f.category = any ($7)
                    and not f.is_sensitive and f.gone_on is null
                    and coalesce(f.category || '/' || f.state, '') <> all ($8)
            ), ranked as (
                select c.*, count(*) over (partition by c.category) as n,
                    row_number() over (partition by c.category order by c.away_m, c.id) as rank
                from counted as c
            )
            select %1$L::text, r.id, r.category, r.name, r.state, r.grid_code, ST_X(r.spot), ST_Y(r.spot), r.away_m,
                (select jsonb_object_agg(k.key, k.value) from jsonb_each(r.attrs) as k where k.key = any ($9)), r.n
            from ranked as r
            where r.rank <= $10
            order by r.category, r.rank
        $query$, one) using low, high, shape, target, codes, datasets, categories, passed_over, told, most;
    end loop;
end
$function$;
grant execute on function pub.found_inside to atlas_web, atlas_analyst;
