-- The steps of cases that `pub.list_requests` shows, for their history: no account, no words.
create or replace function pub.request_steps(low text, high text, ids bigint[])
returns table (event_id bigint, at timestamptz, step text, state text, department text)
language plpgsql stable as $function$
declare
    who record;
begin
    select h.* into who from auth.holder() as h;
    if who.name is null or $1 collate "C" < who.low or $2 collate "C" > who.high then
        raise exception 'grid % is out of reach', $1 using errcode = 'MQ001';
    end if;
    return query
    select s.event_id, s.at, s.step, s.state, s.department
    from ops.event as e join ops.event_step as s on s.town_code = e.town_code and s.event_id = e.id
    where e.id = any ($3) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
        and (not e.is_sensitive or e.state not in ('reported', 'refused') and not who.is_open
            and ops.sent_by(e, who.name, who.channel, who.dataset))
    order by s.event_id, s.step_no;
end
$function$;
grant execute on function pub.request_steps to atlas_web;
