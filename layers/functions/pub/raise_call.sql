-- Make a call, of a grid or about a case that the session works on; to a sensitive case only the command centre calls.
-- The same key again is the same call.
create or replace function pub.raise_call(
    low text, high text, grid_code text, request_key text, what text, departments text[], event_id bigint,
    at timestamptz
)
returns bigint
language plpgsql as $function$
declare
    made bigint;
    who record;
begin
    select a.* into who from auth.actor() as a;
    if not auth.covers($1, $2) or $3 < $1 or $3 >= $2 then
        raise exception 'grid % is out of reach', $3 using errcode = 'MQ001';
    end if;
    if not coalesce(who.role in ('grid_worker', 'dispatcher', 'case_officer'), false) then
        raise exception 'a % may not call', coalesce(who.role, 'stranger') using errcode = 'MQ003';
    end if;
    if coalesce(btrim($5), '') = '' then
        raise exception 'a call says what is needed' using errcode = 'MQ004', detail = 'what';
    end if;
    if $7 is not null and not exists (
        select from ops.event as e
        where e.town_code = left(rpad($3, 9, '0'), 9) and e.id = $7 and e.grid_code >= $1 and e.grid_code < $2
            and e.gone_on is null and ops.works_on(e, who.account, who.role, who.department)
            and (not e.is_sensitive or who.role = 'dispatcher')) then
        raise exception 'there is no case %', $7 using errcode = 'MQ001';
    end if;
    insert into ops.call (town_code, grid_code, request_key, event_id, called_at, called_by, what, departments)
    values (left(rpad($3, 9, '0'), 9), $3, $4, $7, coalesce($8, clock_timestamp()), who.account, $5, $6)
    on conflict on constraint uq_call_town_code_request_key do nothing returning id into made;
    if made is null then
        select c.id into made from ops.call as c
        where c.town_code = left(rpad($3, 9, '0'), 9) and c.request_key = $4 and c.called_by = who.account;
    end if;
    if made is null then
        raise exception 'the key of this call is taken' using errcode = 'MQ002';
    end if;
    perform pg_notify('calls', made::text);
    return made;
end
$function$;
grant execute on function pub.raise_call to atlas_web;
