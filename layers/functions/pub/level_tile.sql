-- Polygons of the grids from `low` up to `high`, of a level and of all above it, in a layer for each level.
-- Shapes come simplified to a pixel of the zoom or two, names do not come at all: a tile is bytes. All levels come from one
-- zoom, so that a border of several levels has the same corners in each and is packed once. The raster is a pixel, as
-- fine as the shapes are; from zoom 13 on it is finer, since single corners are read there and the map enlarges the
-- tiles of zoom 14.
create or replace function pub.level_tile(
    p_edition integer, p_level text, z integer, x integer, y integer, low text, high text
)
returns bytea language plpgsql stable strict parallel safe as $$
declare
    tile constant geometry := ST_TileEnvelope(z, x, y);
    fine constant integer := case when z >= 14 then 4096 when z = 13 then 1024 else 512 end;
    coarser constant integer := case when z >= 13 then 1 else 2 end;
    buffered constant geometry := ST_TileEnvelope(z, x, y, margin => 64.0 / 4096);
    levels constant text[] := array['city', 'county', 'large', 'medium', 'small'];
    -- Shapes lie by their zooms in one index: each place has seven of them. So grids are looked for, an eighth of a tile around.
    around constant geometry := ST_Expand(ST_SetSRID(ST_Transform(tile, 4326), 4490), 45.0 / 2 ^ z);
    answer bytea;
begin
    if not auth.covers(low, high) then
        return ''::bytea;
    end if;
    -- The grids of a level are all drawn for the same zooms, so the first of each is asked instead of all of them.
    with drawn as materialized (
        select max(least_zoom) as zoom from (
            select coalesce(min(s.zoom) filter (where s.zoom >= z - coarser), max(s.zoom)) as least_zoom
            from unnest(levels[: array_position(levels, p_level)]) as one (level)
            cross join lateral (
                select g.code from pub.grid g where g.edition = p_edition and g.level = one.level order by g.code limit 1
            ) as first
            join pub.grid_shape s on s.edition = p_edition and s.code = first.code
            group by one.level
        ) as one
    ), q as materialized (
        select g.grid_no as id, g.code, g.level,
            ST_AsMVTGeom(s.geom, tile, extent => fine, buffer => fine / 64, clip_geom => true) as geom
        from pub.grid g
        cross join drawn d
        join pub.grid_shape s on s.edition = g.edition and s.code = g.code and s.zoom = d.zoom
        where g.edition = p_edition and g.geom && around
            and g.level = any(levels[: array_position(levels, p_level)])
            and s.geom && buffered and g.code >= low and g.code < high
        order by g.code
    )
    select string_agg(one.layer, ''::bytea order by one.level) into answer from (
        select q.level,
            ST_AsMVT((select row from (select q.id, q.code, q.geom) row), q.level, fine, 'geom', 'id' order by q.code)
                as layer
        from q where q.geom is not null group by q.level
    ) one;
    return coalesce(answer, ''::bytea);
end $$;
grant execute on function pub.level_tile to atlas_web;
