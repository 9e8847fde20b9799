-- Ask whether a closed case is settled: by a link with a token, of which only the hash is kept, or by phone.
create or replace function pub.ask_back(low text, high text, event_id bigint, way text, token_hash bytea, at timestamptz)
returns bigint
language plpgsql as $function$
declare
    who record;
    made bigint;
begin
    select a.* into who from auth.actor() as a;
    if not coalesce(who.role in ('case_officer', 'dispatcher'), false) then
        raise exception 'a % may not visit back', coalesce(who.role, 'stranger') using errcode = 'MQ003';
    end if;
    insert into ops.visit_back (town_code, event_id, asked_at, asked_by, way, token_hash)
    select e.town_code, e.id, coalesce($6, clock_timestamp()), who.account, $4, $5
    from ops.event as e
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.state = 'closed'
    returning id into made;
    if made is null then
        raise exception 'there is no closed case %', $3 using errcode = 'MQ001';
    end if;
    return made;
end
$function$;
grant execute on function pub.ask_back to atlas_web;
