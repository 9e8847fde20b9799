-- One case inside a scope, for who works on it.
create or replace function pub.read_case(low text, high text, event_id bigint)
returns table (
    id bigint, town_code text, grid_code text, dataset text, source_key text, category text, state text, outcome text,
    version integer, reported_at timestamptz, due_at timestamptz, closed_at timestamptz, department text, channel text,
    is_urgent boolean, is_on_spot boolean, is_satisfied boolean, is_sensitive boolean, summary text, promise jsonb
)
language sql stable as $function$
    select e.id, e.town_code, e.grid_code, e.dataset, e.source_key, e.category, e.state, e.outcome, e.version,
        e.reported_at, e.due_at, e.closed_at, e.department, e.channel, e.is_urgent, e.is_on_spot, e.is_satisfied,
        e.is_sensitive, e.summary,
        (select to_jsonb(p) from ops.promise as p where p.town_code = e.town_code and p.event_id = e.id
            order by p.round desc limit 1)
    from ops.event as e cross join auth.actor() as a
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
        and ops.works_on(e, a.account, a.role, a.department)
$function$;
grant execute on function pub.read_case to atlas_web;
