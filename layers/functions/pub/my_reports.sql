-- What the session's own account reported, with what became of it, the latest first. One that was folded into another
-- has the answer of that.
create or replace function pub.my_reports(low text, high text, most integer)
returns table (
    id bigint, grid_code text, category text, state text, outcome text, department text, reported_at timestamptz,
    due_at timestamptz, closed_at timestamptz, is_satisfied boolean, summary text, original_state text,
    original_outcome text
)
language sql stable as $function$
    select e.id, e.grid_code, e.category, e.state, e.outcome, e.department, e.reported_at, e.due_at, e.closed_at,
        e.is_satisfied, e.summary, o.state, o.outcome
    from auth.actor() as a
    join ops.event_step as s on s.step = 'report' and s.account = a.account
    join ops.event as e on e.town_code = s.town_code and e.id = s.event_id
    left join lateral ops.original_of(e) as o on not o.is_sensitive
    where auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
    order by e.reported_at desc, e.id
    limit $3
$function$;
grant execute on function pub.my_reports to atlas_web;
