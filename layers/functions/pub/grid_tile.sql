-- Polygons of the grids from `low` up to `high`: large and above at every zoom, medium from 10, small from 12.
-- Shapes come simplified to a pixel of the zoom or two, names do not come at all: a tile is bytes. All levels come from one
-- zoom, so that a border of several levels has the same corners in each and is packed once. The raster is a pixel, as
-- fine as the shapes are; from zoom 13 on it is finer, since single corners are read there and the map enlarges the
-- tiles of zoom 14.
create or replace function pub.grid_tile(p_edition integer, z integer, x integer, y integer, low text, high text)
returns bytea language plpgsql stable strict parallel safe as $$
declare
    tile constant geometry := ST_TileEnvelope(z, x, y);
    fine constant integer := case when z >= 14 then 4096 when z = 13 then 1024 else 512 end;
    coarser constant integer := case when z >= 13 then 1 else 2 end;
    buffered constant geometry := ST_TileEnvelope(z, x, y, margin => 64.0 / 4096);
    answer bytea;
begin
    if not auth.covers(low, high) then
        return ''::bytea;
    end if;
    with drawn as materialized (
        select max(least_zoom) as zoom from (
            select coalesce(min(zoom) filter (where zoom >= z - coarser), max(zoom)) as least_zoom
            from pub.grid_shape
            where edition = p_edition
                and (level in ('city', 'county', 'large') or level = 'medium' and z >= 10 or level = 'small' and z >= 12)
            group by level
        ) as one
    ), q as materialized (
        select g.grid_no as id, g.code, g.level,
            ST_AsMVTGeom(s.geom, tile, extent => fine, buffer => fine / 64, clip_geom => true) as geom
        from pub.grid_shape s
        join drawn d on d.zoom = s.zoom
        join pub.grid g on g.edition = s.edition and g.code = s.code
        where s.edition = p_edition
            and (s.level in ('city', 'county', 'large') or s.level = 'medium' and z >= 10 or s.level = 'small' and z >= 12)
            and s.geom && buffered and s.code >= low and s.code < high
        order by s.code
    )
    select ST_AsMVT(q.*, 'grid', fine, 'geom', 'id') into answer from q where q.geom is not null;
    return coalesce(answer, ''::bytea);
end $$;
grant execute on function pub.grid_tile to atlas_web;
