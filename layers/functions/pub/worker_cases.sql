-- The cases that one grid worker reported or checked in a time, and what each counts for. Sensitive ones count, and are
-- not named.
create or replace function pub.worker_cases(worker text, since timestamptz, until timestamptz)
returns table (
    id bigint, grid_code text, category text, state text, outcome text, reported_at timestamptz,
    is_reported boolean, is_settled_on_spot boolean, is_filed boolean, is_settled boolean, n_passed bigint,
    n_reworked bigint
)
language plpgsql as $function$
begin
    perform auth.may_look_at($1);
    return query
    select case when not e.is_sensitive then e.id end, e.grid_code, case when not e.is_sensitive then e.category end,
        e.state, e.outcome, e.reported_at, t.reported and not e.is_on_spot, t.reported and e.is_on_spot,
        t.reported and not e.is_on_spot and exists (select from ops.event_step as s
            where s.town_code = e.town_code and s.event_id = e.id and s.state = 'accepted'),
        t.reported and not e.is_on_spot and e.state = 'closed' and e.outcome is not distinct from 'settled',
        t.n_passed, t.n_reworked
    from (
        select s.town_code, s.event_id, bool_or(s.step = 'report') as reported,
            count(*) filter (where s.step = 'pass') as n_passed,
            count(*) filter (where s.step = 'rework') as n_reworked
        from ops.event_step as s
        where s.account = $1 and s.at >= $2 and s.at < $3 and s.step in ('report', 'pass', 'rework')
        group by s.town_code, s.event_id
    ) as t
    join ops.event as e on e.town_code = t.town_code and e.id = t.event_id
    where e.gone_on is null
    order by e.reported_at, e.id;
end
$function$;
grant execute on function pub.worker_cases to atlas_web;
