-- Polygons of the grids from `low` up to `high` as pub.level_tile has them, down to a level that comes with the zoom: large
-- grids and above everywhere, medium from 10, small from 12.
create or replace function pub.grid_tile(p_edition integer, z integer, x integer, y integer, low text, high text)
returns bytea language sql stable strict parallel safe as $$
    select pub.level_tile(
        p_edition, case when z >= 12 then 'small' when z >= 10 then 'medium' else 'large' end, z, x, y, low, high
    )
$$;
grant execute on function pub.grid_tile to atlas_web;
