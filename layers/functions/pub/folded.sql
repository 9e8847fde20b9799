-- A case and those folded into it, with who reported each and what they answered: everybody who is owed the answer;
-- for who works on it.
create or replace function pub.folded(low text, high text, event_id bigint)
returns table (
    id bigint, source_key text, account text, channel text, reported_at timestamptz, is_satisfied boolean
)
language sql stable as $function$
    select e.id, e.source_key, s.account, e.channel, e.reported_at, e.is_satisfied
    from ops.event as e
    left join ops.event_step as s on s.town_code = e.town_code and s.event_id = e.id and s.step = 'report'
    cross join auth.actor() as a
    where auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
        and ops.works_on(e, a.account, a.role, a.department)
        and (e.id = $3 or e.id in (select f.id from ops.folded_into($3) as f))
    order by e.reported_at, e.id
$function$;
grant execute on function pub.folded to atlas_web;
