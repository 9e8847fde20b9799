-- The nearest places, things or organisations of each category by spheroidal distance from a point or a shape: resources.
-- The index knows degrees only, so that its first rows give a distance within which all nearer ones must lie; of these
-- the nearest in metres are given. `elements`, `categories` and `mosts` belong together, place by place.
create or replace function pub.found_near(
    low text, high text, target geometry, elements text[], categories text[], mosts integer[], datasets text[],
    passed_over text[], told text[]
)
returns table (
    element text, id bigint, category text, name text, state text, grid_code text, lon double precision,
    lat double precision, distance_m double precision, attrs jsonb
)
language plpgsql stable as $function$
declare
    one record;
    reach double precision;
    kept constant text := 'e.geom is not null and e.dataset = any ($1) and e.category = $2 and not e.is_sensitive'
        ' and e.gone_on is null and e.grid_code >= $3 and e.grid_code < $4'
        ' and coalesce(e.category || ''/'' || e.state, '''') <> all ($5)';
begin
    if not auth.covers(low, high) then
        return;
    end if;
    for one in select s.element, s.category, s.most from unnest(elements, categories, mosts) as s (element, category, most)
    loop
        execute format($query$
            select max(ST_Distance(f.geom::geography, $6::geography))
            from (select e.geom from ops.%I as e where %s order by e.geom <-> $6 limit $7) as f
        $query$, one.element, kept)
        into reach using datasets, one.category, low, high, passed_over, target, one.most;
        return query execute format($query$
            select %L::text, e.id, e.category, e.name, e.state, e.grid_code, ST_X(ST_PointOnSurface(e.geom)),
                ST_Y(ST_PointOnSurface(e.geom)), ST_Distance(e.geom::geography, $6::geography),
                (select jsonb_object_agg(k.key, k.value) from jsonb_each(e.attrs) as k where k.key = any ($9))
            from ops.%I as e
            where %s and e.geom && ST_Expand($6, 1.01 * $8 / 111320 / cosd(least(80, greatest(
                abs(ST_YMin($6)), abs(ST_YMax($6))) + $8 / 110574)), 1.01 * $8 / 110574)
            order by 9, e.id
            limit $7
        $query$, one.element, one.element, kept)
        using datasets, one.category, low, high, passed_over, target, one.most, reach, told;
    end loop;
end
$function$;
grant execute on function pub.found_near to atlas_web, atlas_analyst;
