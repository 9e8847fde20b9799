-- Visits that the session's own account wrote down, the latest first.
create or replace function pub.my_visits(low text, high text, most integer)
returns table (id bigint, grid_code text, visited_at timestamptz, found text)
language sql stable as $function$
    select v.id, v.grid_code, v.visited_at, v.found
    from ops.visit as v cross join auth.actor() as a
    where v.dataset = 'visit' and v.worker_key = a.account and auth.covers($1, $2)
        and v.grid_code >= $1 and v.grid_code < $2
    order by v.visited_at desc, v.id
    limit $3
$function$;
grant execute on function pub.my_visits to atlas_web;
