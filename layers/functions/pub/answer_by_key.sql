-- Write down what the source was told when it asked whether a closed case is settled. Answered once a closing: the same
-- again does nothing, another answer is refused.
create or replace function pub.answer_by_key(number text, is_satisfied boolean, reason text, at timestamptz)
returns table (event_id bigint, is_new boolean)
language plpgsql as $function$
declare
    who record;
    one ops.event;
    old ops.visit_back;
    moment timestamptz := coalesce($4, clock_timestamp());
begin
    select h.* into who from auth.holder() as h;
    select e.* into one from raw.source_registry as r join ops.event as e on e.town_code = r.town_code and e.id = r.id
    where r.dataset = who.dataset and r.source_key = $1 and not who.is_open and who.channel <> 'open311'
        and e.gone_on is null and e.grid_code >= who.low and e.grid_code < who.high
    for update of e;
    if one.id is null or one.state <> 'closed' then
        raise exception 'there is no closed case %', $1 using errcode = 'MQ001';
    end if;
    select v.* into old from ops.visit_back as v
    where v.town_code = one.town_code and v.event_id = one.id and v.asked_by = 'key ' || who.name
        and v.answered_at >= one.closed_at;
    if old.id is not null then
        if old.is_satisfied <> $2 then
            raise exception 'case % was answered before', $1 using errcode = 'MQ002';
        end if;
        return query select one.id, false;
        return;
    end if;
    if not $2 and coalesce(btrim($3), '') = '' then
        raise exception 'who is not satisfied says why' using errcode = 'MQ004', detail = 'reason';
    end if;
    if moment < one.closed_at or moment > clock_timestamp() then
        raise exception 'a case is answered about after it was closed, and not before now' using errcode = 'MQ004',
            detail = 'at';
    end if;
    insert into ops.visit_back (town_code, event_id, asked_at, asked_by, way, answered_at, is_satisfied, reason)
    values (one.town_code, one.id, moment, 'key ' || who.name, 'phone', moment, $2, $3);
    update ops.event as e set is_satisfied = $2 where e.town_code = one.town_code and e.id = one.id;
    return query select one.id, true;
end
$function$;
grant execute on function pub.answer_by_key to atlas_web;
