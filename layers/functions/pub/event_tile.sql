-- Events of the named datasets that are not sensitive, reported in [since, until), in grids from `low` up to `high`, of
-- the categories and in the states named (none named: all of them). One by one, or counts by a net of `meshes` x `meshes`
-- a tile, each at the mean of its points.
--
-- Rows are counted when asked for: counts kept by mesh would have nearly as many rows as there are events, since they are
-- asked for by category, state, day and grid. Planned anew each time, for the days decide which index to read.
create or replace function pub.event_tile(
    low text, high text, datasets text[], categories text[], states text[], since timestamptz, until timestamptz,
    one_by_one boolean, z integer, x integer, y integer, meshes integer default 20
)
returns bytea language plpgsql stable strict parallel safe set plan_cache_mode = force_custom_plan as $$
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
    if not one_by_one then
        with found as (
            select ST_X(geom) as lon, ST_Y(geom) as lat
            from ops.event
            where geom && box and GeometryType(geom) = 'POINT' and dataset = any (datasets) and grid_code >= low and grid_code < high
                and reported_at >= since and reported_at < until and not is_sensitive and gone_on is null
                and (categories = '{}' or category = any (categories)) and (states = '{}' or state = any (states))
            offset 0 -- each point is read once, and none is written down in between
        ), mesh as materialized (
            select floor((lon - west) / (east - west) * meshes)::integer as i,
                floor((lat - south) / (north - south) * meshes)::integer as j,
                count(*)::integer as n, sum(lon) / count(*) as lon, sum(lat) / count(*) as lat
            from found
            where lon >= west and lon < east and lat >= south and lat < north
            group by 1, 2
        ), q as materialized (
            select i * meshes + j as id, n,
                ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), 3857), tile, 4096, 64) as geom
            from mesh
            order by 1
        )
        select ST_AsMVT(q.*, 'event', 4096, 'geom', 'id') into answer from q;
    else
        with found as materialized (
            select id, category, state, reported_at, geom
            from ops.event
            where geom && box and GeometryType(geom) = 'POINT' and dataset = any (datasets) and grid_code >= low and grid_code < high
                and reported_at >= since and reported_at < until and not is_sensitive and gone_on is null
                and (categories = '{}' or category = any (categories)) and (states = '{}' or state = any (states))
        ), q as materialized (
            select id, 1 as n, category, state, extract(epoch from reported_at)::bigint as reported_at,
                ST_AsMVTGeom(ST_Transform(ST_SetSRID(geom, 4326), 3857), tile, 4096, 64) as geom
            from found
            where ST_X(geom) >= west and ST_X(geom) < east and ST_Y(geom) >= south and ST_Y(geom) < north
            order by id
        )
        select ST_AsMVT(q.*, 'event', 4096, 'geom', 'id') into answer from q;
    end if;
    return coalesce(answer, ''::bytea);
end $$;
grant execute on function pub.event_tile to atlas_web;
