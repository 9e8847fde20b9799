-- Take a case from the wall, with a reason.
create or replace function pub.withdraw_echo(low text, high text, event_id bigint, reason text)
returns boolean
language plpgsql as $function$
declare
    who record;
begin
    select a.* into who from auth.actor() as a;
    if not coalesce(who.role in ('dispatcher', 'case_officer'), false) then
        raise exception 'a % may not withdraw', coalesce(who.role, 'stranger') using errcode = 'MQ003';
    end if;
    if coalesce(btrim($4), '') = '' then
        raise exception 'withdrawing needs a reason' using errcode = 'MQ004', detail = 'reason';
    end if;
    update ops.echo as o set withdrawn_at = clock_timestamp(), withdrawn_by = who.account, withdraw_reason = btrim($4)
    from ops.event as e
    where e.town_code = o.town_code and e.id = o.event_id and e.id = $3 and o.withdrawn_at is null
        and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2;
    if not found then
        raise exception 'case % is not on the wall', $3 using errcode = 'MQ001';
    end if;
    perform audit.write('release', who.account, who.role, who.scope, $3::text,
        jsonb_build_object('what', 'echo', 'done', 'withdrawn'));
    return true;
end
$function$;
grant execute on function pub.withdraw_echo to atlas_web;
