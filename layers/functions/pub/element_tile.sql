-- Places, things or organisations of the named datasets that are not sensitive, in grids from `low` up to `high`, of the
-- categories named (none named: all of them): one by one with category and name, or counts by a net of `meshes` x
-- `meshes` a tile.
-- What is known by its grid alone stands in the middle of it, those of one grid together.
-- Nothing sensitive, and so no households: they are people under another name, and told by published counts alone.
create or replace function pub.element_tile(
    low text, high text, element text, datasets text[], categories text[], one_by_one boolean,
    z integer, x integer, y integer, meshes integer default 20
)
returns bytea language plpgsql stable strict parallel safe as $$
declare
    tile constant geometry := ST_TileEnvelope(z, x, y);
    box constant geometry := ST_SetSRID(ST_Transform(tile, 4326), 4490);
    west constant float8 := ST_XMin(box);
    south constant float8 := ST_YMin(box);
    east constant float8 := ST_XMax(box);
    north constant float8 := ST_YMax(box);
    answer bytea;
begin
    if not auth.covers(low, high) then
        return ''::bytea;
    end if;
    with known as materialized (
        select id, category, name, geom, edition, grid_code from ops.place
        where element = 'place' and (geom && box or geom is null) and dataset = any (datasets)
            and grid_code >= low and grid_code < high and not is_sensitive and gone_on is null
        union all
        select id, category, name, geom, edition, grid_code from ops.thing
        where element = 'thing' and (geom && box or geom is null) and dataset = any (datasets)
            and grid_code >= low and grid_code < high and not is_sensitive and gone_on is null
        union all
        select id, category, name, geom, edition, grid_code from ops.organisation
        where element = 'organisation' and (geom && box or geom is null) and dataset = any (datasets)
            and grid_code >= low and grid_code < high and not is_sensitive and gone_on is null
    ), found as materialized (
        select id, category, name, null::text as grid, ST_PointOnSurface(geom) as geom from known where geom is not null
        union all
        select id, category, known.name, code, centre from known join pub.grid on (grid.edition, code) = (known.edition, grid_code)
        where known.geom is null and centre && box
    ), inside as materialized (
        select id, category, name, grid, ST_X(geom) as lon, ST_Y(geom) as lat
        from found
        where ST_X(geom) >= west and ST_X(geom) < east and ST_Y(geom) >= south and ST_Y(geom) < north
            and (categories = '{}' or category = any (categories))
    ), mesh as materialized (
        select min(id) as id, count(*)::integer as n, avg(lon) as lon, avg(lat) as lat,
            case when one_by_one then min(category) end as category,
            case when one_by_one and count(*) = 1 then min(name) end as name
        from inside
        group by
            case when one_by_one then grid end,
            case when one_by_one and grid is null then id end,
            case when not one_by_one then floor((lon - west) / (east - west) * meshes) end,
            case when not one_by_one then floor((lat - south) / (north - south) * meshes) end
    ), q as materialized (
        select id, n, category, name,
            ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), 3857), tile, 4096, 64) as geom
        from mesh
        order by id
    )
    select ST_AsMVT(q.*, element, 4096, 'geom', 'id') into answer from q;
    return coalesce(answer, ''::bytea);
end $$;
grant execute on function pub.element_tile to atlas_web;
