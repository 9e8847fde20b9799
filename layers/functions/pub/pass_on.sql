-- Pass a call on for a level above the one that calls, inside the session's scope. The same level again does nothing.
create or replace function pub.pass_on(low text, high text, call_id bigint, from_code text, reason text, at timestamptz)
returns boolean
language plpgsql as $function$
declare
    one ops.call;
    who record;
    is_new boolean;
begin
    select a.* into who from auth.actor() as a;
    select c.* into one from ops.call as c where c.id = $3 and c.grid_code >= $1 and c.grid_code < $2 for update;
    if not found or not auth.covers($1, $2) then
        raise exception 'there is no call %', $3 using errcode = 'MQ001';
    end if;
    if not coalesce(who.role in ('dispatcher', 'case_officer', 'leader'), false)
        or $4 < auth.low() or $4 >= auth.high() or left(one.grid_code, length($4)) <> $4 or $4 = one.grid_code then
        raise exception 'a % may not pass this call on for %', coalesce(who.role, 'stranger'), $4
            using errcode = 'MQ003';
    end if;
    if one.answered_at is not null then
        raise exception 'this call was answered before' using errcode = 'MQ002';
    end if;
    insert into ops.pass_on (town_code, call_id, from_code, at, account, reason)
    values (one.town_code, one.id, $4, coalesce($6, clock_timestamp()), who.account, nullif(btrim($5), ''))
    on conflict on constraint uq_pass_on_town_code_call_id_from_code do nothing;
    is_new := found;
    perform pg_notify('calls', one.id::text);
    return is_new;
end
$function$;
grant execute on function pub.pass_on to atlas_web;
