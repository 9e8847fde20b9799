-- Cases of a queue, the most pressing first, with how many there are in all. What a queue is depends on who asks.
-- An urgent report has no deadline before somebody takes it up: until then it counts as due since it was reported.
create or replace function pub.list_cases(low text, high text, asked jsonb, most integer)
returns table (
    id bigint, grid_code text, category text, state text, outcome text, department text, channel text,
    is_urgent boolean, is_sensitive boolean, reported_at timestamptz, due_at timestamptz, closed_at timestamptz,
    is_satisfied boolean, version integer, lon double precision, lat double precision, n bigint
)
language plpgsql stable as $function$
declare
    who record;
begin
    select a.* into who from auth.actor() as a;
    return query
    select e.id, e.grid_code, e.category, e.state, e.outcome, e.department, e.channel, e.is_urgent, e.is_sensitive,
        e.reported_at, e.due_at, e.closed_at, e.is_satisfied, e.version,
        case when not e.is_sensitive and st_geometrytype(e.geom) = 'ST_Point' then st_x(e.geom) end,
        case when not e.is_sensitive and st_geometrytype(e.geom) = 'ST_Point' then st_y(e.geom) end,
        count(*) over ()
    from ops.event as e
    where auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
        and ops.works_on(e, who.account, who.role, who.department)
        and case $3 ->> 'queue'
            when 'accept' then e.state = 'reported'
            when 'dispatch' then e.state = 'accepted'
            when 'mine' then case when who.role = 'department_handler'
                then e.state in ('dispatched', 'handling', 'suspended')
                else e.state not in ('closed', 'refused') and exists (
                    select from ops.event_step as s where s.town_code = e.town_code and s.event_id = e.id
                        and s.account = who.account) end
            when 'check' then e.state = 'handled'
            when 'close' then e.state = 'checked'
            when 'visit' then e.state = 'closed' and e.outcome = 'settled' and e.is_satisfied is null
                and e.closed_at >= now() - interval '30 days' and not exists (
                    select from ops.visit_back as v where v.town_code = e.town_code and v.event_id = e.id
                        and v.answered_at >= e.closed_at)
            when 'open' then e.state not in ('closed', 'refused')
            else true end
        and ($3 ->> 'category' is null or e.category = $3 ->> 'category')
        and ($3 ->> 'state' is null or e.state = $3 ->> 'state')
        and ($3 ->> 'department' is null or e.department = $3 ->> 'department')
        and case $3 ->> 'clock'
            when 'late' then e.due_at < now() and e.state not in ('closed', 'refused')
            when 'soon' then e.due_at >= now() and e.due_at < now() + interval '1 day'
                and e.state not in ('closed', 'refused')
            when 'still' then e.due_at is null
            else true end
    order by (e.is_urgent and e.state not in ('closed', 'refused')) desc,
        case when e.state in ('closed', 'refused') then null
            when e.is_urgent and e.state in ('reported', 'accepted') then coalesce(e.due_at, e.reported_at)
            else e.due_at end nulls last,
        e.reported_at desc, e.id
    limit $4;
end
$function$;
grant execute on function pub.list_cases to atlas_web;
