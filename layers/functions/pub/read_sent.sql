-- One case that the holder of the key sent or delivered, by the source's own number. A sensitive one too: whoever sent it
-- knows of it.
create or replace function pub.read_sent(number text)
returns table (
    number text, state text, outcome text, category text, grid_code text, department text, is_urgent boolean,
    reported_at timestamptz, due_at timestamptz, closed_at timestamptz, is_satisfied boolean
)
language sql stable as $function$
    select $1, e.state, e.outcome, e.category, e.grid_code, e.department, e.is_urgent, e.reported_at, e.due_at,
        e.closed_at, e.is_satisfied
    from auth.holder() as h
    join raw.source_registry as r on r.dataset = h.dataset and r.source_key = $1
    join ops.event as e on e.town_code = r.town_code and e.id = r.id
    where not h.is_open and h.channel <> 'open311' and e.gone_on is null
        and e.grid_code >= h.low and e.grid_code < h.high
$function$;
grant execute on function pub.read_sent to atlas_web;
