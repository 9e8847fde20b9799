-- Answer a call for the grid of the session, which lies above the one that calls. Who is first answers; the same account
-- again does nothing.
create or replace function pub.answer_call(low text, high text, call_id bigint, at timestamptz)
returns boolean
language plpgsql as $function$
declare
    one ops.call;
    who record;
begin
    select a.* into who from auth.actor() as a;
    select c.* into one from ops.call as c where c.id = $3 for update;
    if not found or not auth.covers($1, $2)
        or one.grid_code < auth.low() or one.grid_code >= auth.high() then
        raise exception 'there is no call %', $3 using errcode = 'MQ001';
    end if;
    if not who.role in ('dispatcher', 'case_officer', 'leader') then
        raise exception 'a % may not answer a call', who.role using errcode = 'MQ003';
    end if;
    if one.answered_at is not null and one.answered_by <> who.account then
        raise exception 'this call was answered before' using errcode = 'MQ002';
    end if;
    update ops.call as c set answered_at = coalesce(c.answered_at, $4, clock_timestamp()), answered_by = who.account,
        answered_code = coalesce(c.answered_code, who.scope)
    where c.town_code = one.town_code and c.id = one.id;
    perform pg_notify('calls', one.id::text);
    return one.answered_at is null;
end
$function$;
grant execute on function pub.answer_call to atlas_web;
