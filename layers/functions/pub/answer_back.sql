-- Write down an answer, once: by who has the token, signed in or not, or by who visits back on the phone. The same
-- answer again does nothing.
create or replace function pub.answer_back(
    low text, high text, visit_id bigint, token_hash bytea, is_satisfied boolean, reason text, at timestamptz
)
returns table (event_id bigint, grid_code text, category text, state text, is_new boolean)
language plpgsql as $function$
declare
    one ops.visit_back;
    found_event ops.event;
    fresh boolean;
    who record;
begin
    select a.* into who from auth.actor() as a;
    select v.* into one from ops.visit_back as v
    where case when $4 is null then v.id = $3 and v.way = 'phone' else v.token_hash = $4 and v.asked_at > clock_timestamp() - interval '30 days' end
    for update;
    select e.* into found_event from ops.event as e
    where e.town_code = one.town_code and e.id = one.event_id and e.grid_code >= $1 and e.grid_code < $2;
    if not found or not ($4 is not null or auth.covers($1, $2) and who.role in ('case_officer', 'dispatcher')) then
        raise exception 'there is no such question' using errcode = 'MQ001';
    end if;
    fresh := one.answered_at is null;
    if not fresh and one.is_satisfied <> $5 then
        raise exception 'this question was answered before' using errcode = 'MQ002';
    end if;
    if fresh and not $5 and coalesce(btrim($6), '') = '' then
        raise exception 'who is not satisfied says why' using errcode = 'MQ004', detail = 'reason';
    end if;
    if fresh then
        update ops.visit_back as v set answered_at = coalesce($7, clock_timestamp()), is_satisfied = $5, reason = $6
        where v.town_code = one.town_code and v.id = one.id;
        update ops.event as e set is_satisfied = $5 where e.town_code = one.town_code and e.id = one.event_id;
    end if;
    return query select found_event.id, found_event.grid_code, found_event.category, found_event.state, fresh;
end
$function$;
grant execute on function pub.answer_back to atlas_web;
