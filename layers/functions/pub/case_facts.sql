-- What the rates of the closed loop are made of: a row for each case that was reported, fell due, was closed or was
-- dispatched in a period, told from its states alone, so that delivered cases count like those made here.
create or replace function pub.case_facts(low text, high text, datasets text[], since timestamptz, until timestamptz)
returns table (
    id bigint, grid_code text, category text, department text, state text, outcome text, reported_at timestamptz,
    due_at timestamptz, closed_at timestamptz, handled_at timestamptz, is_on_spot boolean, is_filed boolean,
    is_dispatched boolean, n_dispatched bigint, n_returned bigint, n_sent_back bigint, n_extended bigint,
    is_asked boolean, is_satisfied boolean, channel text
)
language sql stable as $function$
    select e.id, e.grid_code, e.category, e.department, e.state, e.outcome, e.reported_at, e.due_at, e.closed_at,
        s.handled_at, e.is_on_spot,
        not e.is_on_spot and (coalesce(s.is_filed, false) or e.state not in ('reported', 'refused', 'closed')
            or e.state = 'closed' and s.is_filed is null),
        coalesce(s.is_dispatched, e.department is not null and e.state not in ('reported', 'accepted', 'refused')),
        coalesce(s.n_dispatched, 0), coalesce(s.n_returned, 0), coalesce(s.n_sent_back, 0), coalesce(s.n_extended, 0),
        e.is_satisfied is not null or exists (
            select from ops.visit_back as v where v.town_code = e.town_code and v.event_id = e.id),
        e.is_satisfied, e.channel
    from ops.event as e
    left join lateral (
        select max(t.at) filter (where t.state = 'handled') as handled_at,
            bool_or(t.state = 'accepted') as is_filed,
            bool_or(t.state = 'dispatched') as is_dispatched,
            count(*) filter (where t.state = 'dispatched' and t.from_state = 'accepted'
                and t.at >= $4 and t.at < $5) as n_dispatched,
            count(*) filter (where t.state = 'accepted' and t.from_state in ('dispatched', 'handling')
                and t.at >= $4 and t.at < $5) as n_returned,
            count(*) filter (where t.state = 'handling' and t.from_state = 'handled') as n_sent_back,
            count(*) filter (where t.step = 'extend') as n_extended
        from ops.event_step as t where t.town_code = e.town_code and t.event_id = e.id having count(*) > 0
    ) as s on true
    where auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.dataset = any ($3) and not e.is_sensitive and e.gone_on is null
        and e.reported_at < $5
        and (e.reported_at >= $4 or e.due_at >= $4 and e.due_at < $5 or e.closed_at >= $4 or e.closed_at is null)
    order by e.id
$function$;
grant execute on function pub.case_facts to atlas_web, atlas_analyst;
