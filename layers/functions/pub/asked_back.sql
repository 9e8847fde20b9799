-- What a link asks about, while it lives: thirty days, as long as the case stays closed, and for an hour after the
-- answer, to say that it arrived. No words of anybody, and no place but the village.
create or replace function pub.asked_back(token_hash bytea)
returns table (
    category text, grid_code text, department text, outcome text, reported_at timestamptz, closed_at timestamptz,
    is_answered boolean
)
language sql stable as $function$
    select e.category, left(e.grid_code, 12), e.department, e.outcome, e.reported_at, e.closed_at,
        v.answered_at is not null
    from ops.visit_back as v join ops.event as e on e.town_code = v.town_code and e.id = v.event_id
    where v.token_hash = $1 and v.asked_at > clock_timestamp() - interval '30 days' and e.gone_on is null
        and case when v.answered_at is null then e.state = 'closed'
            else v.answered_at > clock_timestamp() - interval '1 hour' end
$function$;
grant execute on function pub.asked_back to atlas_web;
