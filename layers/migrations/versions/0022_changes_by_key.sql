-- Steps taken on the holder's own cases after a number, in the order of commits. The words of a result or a refusal go
-- along, for they are what the source answers the resident with; others do not.
create function pub.changes_by_key(after bigint, most integer)
returns table (
    change_no bigint, number text, at timestamptz, step text, state text, outcome text, department text,
    due_at timestamptz, answer text
)
language sql stable as $function$
    select s.change_no, e.source_key, s.at, s.step, s.state, case when s.state = 'closed' then e.outcome end,
        s.department, e.due_at, case when s.step in ('finish', 'refuse', 'dismiss', 'settle_on_spot') then s.reason end
    from auth.holder() as h
    join ops.event as e on e.dataset = h.dataset and e.grid_code >= h.low and e.grid_code < h.high and e.gone_on is null
    join ops.event_step as s on s.town_code = e.town_code and s.event_id = e.id
    where not h.is_open and h.channel <> 'open311' and s.change_no > $1
    order by s.change_no
    limit $2
$function$
