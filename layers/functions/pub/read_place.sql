-- Places an analyst may read: not the sensitive ones and not those that are gone.
create or replace function pub.read_place(low text, high text, dataset text, most bigint)
returns table (
    id bigint, source_key text, grid_code text, tied_by text, category text, name text, state text,
    updated_at timestamptz, attrs jsonb, geom geometry
)
language plpgsql stable parallel restricted as $function$
begin
    if not auth.covers(low, high) then
        return;
    end if;
    return query execute $query$
        select e.id, e.source_key, e.grid_code, e.tied_by, e.category, e.name, e.state,
            e.updated_at, e.attrs, e.geom
        from ops.place as e
        where e.grid_code >= $1 and e.grid_code < $2 and e.dataset = $3
            and not e.is_sensitive and e.gone_on is null
        order by e.id
        limit $4
    $query$ using low, high, dataset, most;
end
$function$;
grant execute on function pub.read_place to atlas_web, atlas_analyst;
