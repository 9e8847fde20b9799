-- The visits written down of a care record that the session visits for, the latest first.
create or replace function pub.care_visits(low text, high text, person_id bigint)
returns table (visited_on date, account text, status text, found text)
language sql stable as $function$
    select v.visited_on, v.account, v.status, v.found
    from auth.actor() as a cross join lateral vault.care_records($1, $2) as c
    join vault.care_visit as v on v.person_id = c.person_id
    where auth.covers($1, $2) and c.person_id = $3
        and vault.cares(a.account, a.role, c.role, c.is_restricted, c.responsible)
    order by v.visited_on desc, v.id desc
$function$;
grant execute on function pub.care_visits to atlas_web;
