-- Words and photos of cases that may yet be folded, for who works on them; nothing of a sensitive one.
create or replace function pub.suggestions(low text, high text, ids bigint[])
returns table (id bigint, summary text, photos bigint[])
language sql stable as $function$
    select e.id, e.summary, array(
        select p.id from ops.photo as p where p.town_code = e.town_code and p.event_id = e.id order by p.at, p.id)
    from ops.event as e cross join auth.actor() as a
    where e.id = any ($3) and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
        and not e.is_sensitive and ops.works_on(e, a.account, a.role, a.department)
        and exists (select from ops.transition as t where t.step = 'merge' and t.from_state = e.state)
$function$;
grant execute on function pub.suggestions to atlas_web;
