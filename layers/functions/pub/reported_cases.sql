-- Cases reported since a moment, counted by hour or day of a zone and by category and state. Nothing sensitive.
-- Planned for the moment asked for, as the next two are: of three years of cases a few days are read.
create or replace function pub.reported_cases(low text, high text, since timestamptz, unit text, zone text)
returns table (at timestamp, category text, state text, n integer)
language plpgsql stable as $function$
begin
    if not auth.covers(low, high) then
        return;
    end if;
    return query execute $query$
        select date_trunc($4, e.reported_at at time zone $5), e.category, e.state, count(*)::integer
        from ops.event as e
        where e.reported_at >= $3 and e.gone_on is null and not e.is_sensitive
            and e.grid_code >= $1 and e.grid_code < $2
        group by 1, 2, 3
    $query$ using low, high, since, unit, zone;
end
$function$;
grant execute on function pub.reported_cases to atlas_web;
