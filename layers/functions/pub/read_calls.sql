-- Calls inside a scope, the open ones, those since a moment or those about one case, each with the departments that
-- reported in and the levels that passed it on. A handler sees those to the own department; what is about a sensitive
-- case is for who was called, who called, the command centre and the case officer.
create or replace function pub.read_calls(low text, high text, since timestamptz, about bigint)
returns table (
    id bigint, grid_code text, event_id bigint, called_at timestamptz, called_by text, what text, departments text[],
    answered_at timestamptz, answered_by text, answered_code text, reported_in jsonb, passed_on jsonb
)
language sql stable as $function$
    select c.id, c.grid_code, c.event_id, c.called_at, c.called_by, c.what, c.departments, c.answered_at, c.answered_by,
        c.answered_code,
        (select coalesce(jsonb_object_agg(r.department, r.at), '{}') from ops.report_in as r
            where r.town_code = c.town_code and r.call_id = c.id),
        (select coalesce(jsonb_object_agg(p.from_code, p.at), '{}') from ops.pass_on as p
            where p.town_code = c.town_code and p.call_id = c.id)
    from ops.call as c cross join auth.actor() as a
    left join ops.event as e on e.town_code = c.town_code and e.id = c.event_id
    where auth.covers($1, $2) and c.grid_code >= $1 and c.grid_code < $2
        and case when $4 is null then c.answered_at is null or c.called_at >= $3 else c.event_id = $4 end
        and (a.role in ('dispatcher', 'case_officer') or a.account = c.called_by or a.department = any (c.departments)
            or a.role in ('grid_worker', 'leader') and not coalesce(e.is_sensitive, false))
    order by c.called_at, c.id
$function$;
grant execute on function pub.read_calls to atlas_web;
