-- A department that was called reports in, once.
create or replace function pub.report_in(low text, high text, call_id bigint, at timestamptz)
returns boolean
language plpgsql as $function$
declare
    one ops.call;
    is_new boolean;
    who record;
begin
    select a.* into who from auth.actor() as a;
    select c.* into one from ops.call as c where c.id = $3 and c.grid_code >= $1 and c.grid_code < $2;
    if not found or not auth.covers($1, $2) then
        raise exception 'there is no call %', $3 using errcode = 'MQ001';
    end if;
    if not coalesce(who.department = any (one.departments), false) then
        raise exception '% was not called', coalesce(who.department, who.role) using errcode = 'MQ003';
    end if;
    insert into ops.report_in (town_code, call_id, department, at, account)
    values (one.town_code, one.id, who.department, coalesce($4, clock_timestamp()), who.account)
    on conflict on constraint uq_report_in_town_code_call_id_department do nothing;
    is_new := found;
    perform pg_notify('calls', one.id::text);
    return is_new;
end
$function$;
grant execute on function pub.report_in to atlas_web;
