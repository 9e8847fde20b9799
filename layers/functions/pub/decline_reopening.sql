-- Decline a wish to reopen, with a reason: the case stays closed and the answer stays "not satisfied".
create or replace function pub.decline_reopening(low text, high text, visit_id bigint, reason text)
returns boolean
language plpgsql as $function$
declare
    who record;
begin
    select a.* into who from auth.actor() as a;
    if who.role is distinct from 'dispatcher' then
        raise exception 'a % may not decline a reopening', coalesce(who.role, 'stranger') using errcode = 'MQ003';
    end if;
    if coalesce(btrim($4), '') = '' then
        raise exception 'declining a reopening needs a reason' using errcode = 'MQ004', detail = 'reason';
    end if;
    update ops.visit_back as v set declined_at = clock_timestamp(), declined_by = who.account, decline_reason = $4
    from ops.event as e
    where e.town_code = v.town_code and e.id = v.event_id and auth.covers($1, $2)
        and e.grid_code >= $1 and e.grid_code < $2
        and v.id = $3 and not v.is_satisfied and v.declined_at is null;
    if not found then
        raise exception 'there is no such wish to reopen' using errcode = 'MQ001';
    end if;
    return true;
end
$function$;
grant execute on function pub.decline_reopening to atlas_web;
