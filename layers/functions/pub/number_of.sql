-- Number and state of a case by the number under which the holder sent it. A sensitive case has no number to be told
-- before it was accepted.
create or replace function pub.number_of(number text)
returns table (id bigint, state text)
language sql stable as $function$
    select case when not e.is_sensitive or e.state not in ('reported', 'refused') then e.id end, e.state
    from auth.holder() as h
    join raw.source_registry as r on r.dataset = h.dataset
        and r.source_key = case when h.channel = 'open311' then h.name || '/' else '' end || $1
    join ops.event as e on e.town_code = r.town_code and e.id = r.id
    where not h.is_open and e.gone_on is null and e.grid_code >= h.low and e.grid_code < h.high
$function$;
grant execute on function pub.number_of to atlas_web;
