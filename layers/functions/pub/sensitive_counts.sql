-- Sensitive cases reported since a moment, as counts by category and medium grid, the finest they are ever counted by.
-- Nothing for whoever sees less than a medium grid, and nothing of grids finer than one in force.
create or replace function pub.sensitive_counts(low text, high text, since timestamptz)
returns table (grid_code text, category text, n integer)
language plpgsql stable as $function$
begin
    if length(low) > 12 or not auth.covers(low, high) then
        return;
    end if;
    return query execute $query$
        select left(e.grid_code, 12), e.category, count(*)::integer
        from ops.event as e
        where e.reported_at >= $3 and e.gone_on is null and e.is_sensitive and e.state <> 'refused'
            and e.grid_code >= $1 and e.grid_code < $2
        group by 1, 2
    $query$ using low, high, since;
end
$function$;
grant execute on function pub.sensitive_counts to atlas_web;
