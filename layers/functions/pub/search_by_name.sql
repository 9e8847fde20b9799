-- Places, things and organisations of the named datasets by a part of their name, the shortest names first. A wall is
-- told no name, so it finds nothing.
create or replace function pub.search_by_name(low text, high text, datasets text[], sought text, most integer)
returns table (
    element text, id bigint, category text, name text, grid_code text, lon double precision, lat double precision
)
language plpgsql stable as $function$
begin
    if not auth.covers(low, high) or exists (select from auth.actor() as a where a.role = 'wall') then
        return;
    end if;
    return query execute $query$
        select e.element, e.id, e.category, e.name, e.grid_code, ST_X(ST_PointOnSurface(e.geom)),
            ST_Y(ST_PointOnSurface(e.geom))
        from (
            select 'place' as element, id, category, name, grid_code, geom, dataset, is_sensitive, gone_on
            from ops.place
            union all
            select 'thing', id, category, name, grid_code, geom, dataset, is_sensitive, gone_on from ops.thing
            union all
            select 'organisation', id, category, name, grid_code, geom, dataset, is_sensitive, gone_on
            from ops.organisation
        ) as e
        where e.dataset = any ($3) and e.grid_code >= $1 and e.grid_code < $2 and e.geom is not null
            and not e.is_sensitive and e.gone_on is null and strpos(lower(e.name), lower($4)) > 0
        order by length(e.name), e.name, e.element, e.id
        limit $5
    $query$ using low, high, datasets, sought, most;
end
$function$;
grant execute on function pub.search_by_name to atlas_web, atlas_analyst;
