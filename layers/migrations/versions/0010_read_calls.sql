-- Calls inside a scope, the open ones or all since a moment, each with the departments that reported in.
create function pub.read_calls(low text, high text, since timestamptz)
returns table (
    id bigint, grid_code text, event_id bigint, called_at timestamptz, called_by text, what text, departments text[],
    answered_at timestamptz, answered_by text, answered_code text, reported_in jsonb
)
language sql stable as $function$
    select c.id, c.grid_code, c.event_id, c.called_at, c.called_by, c.what, c.departments, c.answered_at, c.answered_by,
        c.answered_code,
        (select coalesce(jsonb_object_agg(r.department, r.at), '{}') from ops.report_in as r
            where r.town_code = c.town_code and r.call_id = c.id)
    from ops.call as c
    where auth.covers($1, $2) and c.grid_code >= $1 and c.grid_code < $2
        and (c.answered_at is null or c.called_at >= $3)
    order by c.called_at, c.id
$function$
