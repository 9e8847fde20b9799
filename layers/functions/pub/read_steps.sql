-- The log of one case inside a scope, in order, for who works on it.
create or replace function pub.read_steps(low text, high text, event_id bigint)
returns table (
    step_no smallint, at timestamptz, step text, from_state text, state text, account text, actor text,
    department text, reason text, until_at timestamptz, duplicate_of bigint, change_no bigint,
    recorded_at timestamptz
)
language sql stable as $function$
    select s.step_no, s.at, s.step, s.from_state, s.state, s.account, s.actor, s.department, s.reason, s.until_at,
        s.duplicate_of, s.change_no, s.recorded_at
    from ops.event as e join ops.event_step as s on s.town_code = e.town_code and s.event_id = e.id
    cross join auth.actor() as a
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
        and ops.works_on(e, a.account, a.role, a.department)
    order by s.step_no
$function$;
grant execute on function pub.read_steps to atlas_web;
