-- What became of one's own reports: for who has the receipt, signed in or not. One that was folded into another has
-- the answer of that.
create or replace function pub.follow(receipt text)
returns table (
    id bigint, town_code text, category text, state text, outcome text, version integer, reported_at timestamptz,
    due_at timestamptz, closed_at timestamptz, department text, original_state text, original_outcome text,
    original_department text, original_due_at timestamptz, original_closed_at timestamptz,
    is_urgent boolean, promise jsonb
)
language sql stable as $function$
    select e.id, e.town_code, e.category, e.state, e.outcome, e.version, e.reported_at, e.due_at, e.closed_at,
        e.department, o.state, o.outcome, o.department, o.due_at, o.closed_at, e.is_urgent,
        (select to_jsonb(p) from ops.promise as p where p.town_code = e.town_code and p.event_id = e.id
            order by p.round desc limit 1)
    from ops.event_step as s join ops.event as e on e.town_code = s.town_code and e.id = s.event_id
    left join lateral ops.original_of(e) as o on not o.is_sensitive
    where s.step = 'report' and s.account = ops.of_receipt($1) and e.gone_on is null
    order by e.reported_at, e.id
$function$;
grant execute on function pub.follow to atlas_web;
