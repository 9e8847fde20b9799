-- Who holds the key that the transaction carries, for who carries it.
create or replace function pub.holder()
returns table (name text, channel text, dataset text, scope text, is_open boolean)
language sql stable as $function$
    select h.name, h.channel, h.dataset, h.low, h.is_open from auth.holder() as h
$function$;
grant execute on function pub.holder to atlas_web;
