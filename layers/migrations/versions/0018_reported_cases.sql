-- Cases reported since a moment, counted by hour or day of a zone and by category and state. Nothing sensitive.
create function pub.reported_cases(low text, high text, since timestamptz, unit text, zone text)
returns table (at timestamp, category text, state text, n integer)
language sql stable as $function$
    select date_trunc($4, e.reported_at at time zone $5), e.category, e.state, count(*)::integer
    from ops.event as e
    where e.reported_at >= $3 and e.gone_on is null and not e.is_sensitive
        and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
    group by 1, 2, 3
$function$
