-- How many visits one grid worker wrote down in a time: no words of them.
create or replace function pub.worker_visits(worker text, since timestamptz, until timestamptz)
returns bigint
language plpgsql as $function$
begin
    perform auth.may_look_at($1);
    return (select count(*) from ops.visit as v
        where v.dataset = 'visit' and v.worker_key = $1 and v.visited_at >= $2 and v.visited_at < $3);
end
$function$;
grant execute on function pub.worker_visits to atlas_web;
