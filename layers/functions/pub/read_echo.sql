-- The wall, as anybody may see it: what was released and not withdrawn, with the deadline, the department, how it stands
-- and what the resident answered. No account, no number of a case, no place but the village.
create or replace function pub.read_echo(most integer, past integer)
returns table (
    category text, grid_code text, problem text, measure text, result text, department text, due_at timestamptz,
    state text, outcome text, closed_at timestamptz, is_satisfied boolean, released_at timestamptz
)
language sql stable as $function$
    select e.category, left(e.grid_code, 12), o.problem, o.measure, o.result, e.department, e.due_at, e.state,
        e.outcome, e.closed_at, e.is_satisfied, o.released_at
    from ops.echo as o join ops.event as e on e.town_code = o.town_code and e.id = o.event_id
    where o.withdrawn_at is null and not e.is_sensitive and e.gone_on is null
    order by o.released_at desc, o.id desc
    limit $1 offset $2
$function$;
grant execute on function pub.read_echo to atlas_web;
