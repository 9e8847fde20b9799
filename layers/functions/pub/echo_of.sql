-- What the wall says of a case now, for who works on cases.
create or replace function pub.echo_of(low text, high text, event_id bigint)
returns table (problem text, measure text, result text, released_at timestamptz, released_by text)
language sql stable as $function$
    select o.problem, o.measure, o.result, o.released_at, o.released_by
    from ops.echo as o join ops.event as e on e.town_code = o.town_code and e.id = o.event_id
    cross join auth.actor() as a
    where e.id = $3 and o.withdrawn_at is null
        and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
        and ops.works_on(e, a.account, a.role, a.department)
$function$;
grant execute on function pub.echo_of to atlas_web;
