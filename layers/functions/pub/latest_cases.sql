-- The latest reports since a moment, for a screen on which no step has been taken yet. Nothing sensitive.
create or replace function pub.latest_cases(low text, high text, since timestamptz, most integer)
returns table (at timestamptz, category text, grid_code text, state text)
language plpgsql stable as $function$
begin
    if not auth.covers(low, high) then
        return;
    end if;
    return query execute $query$
        select e.reported_at, e.category, e.grid_code, e.state
        from ops.event as e
        where e.reported_at >= $3 and e.gone_on is null and not e.is_sensitive
            and e.grid_code >= $1 and e.grid_code < $2
        order by e.reported_at desc, e.id
        limit $4
    $query$ using low, high, since, most;
end
$function$;
grant execute on function pub.latest_cases to atlas_web;
