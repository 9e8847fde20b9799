-- Answers "not satisfied" about cases still closed, that nobody has declined: what the command centre decides on. The
-- words are for who works on the case.
create or replace function pub.reopening_requests(low text, high text)
returns table (
    visit_id bigint, event_id bigint, grid_code text, category text, department text, answered_at timestamptz,
    reason text
)
language sql stable as $function$
    select v.id, e.id, e.grid_code, e.category, e.department, v.answered_at, v.reason
    from ops.visit_back as v join ops.event as e on e.town_code = v.town_code and e.id = v.event_id
    cross join auth.actor() as a
    where not v.is_satisfied and v.declined_at is null and e.state = 'closed' and v.answered_at >= e.closed_at
        and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
        and ops.works_on(e, a.account, a.role, a.department)
    order by v.answered_at, v.id
$function$;
grant execute on function pub.reopening_requests to atlas_web;
