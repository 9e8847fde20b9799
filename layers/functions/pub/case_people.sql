-- Whom a case that the session works on is about: who reported it, and the people it is linked to. Masked.
create or replace function pub.case_people(low text, high text, event_id bigint)
returns table (row_id bigint, kind text, mask_sealed bytea)
language sql stable as $function$
    with one as (
        select e.town_code, e.id from ops.event as e cross join auth.actor() as a
        where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
            and a.role in ('grid_worker', 'case_officer') and ops.works_on(e, a.account, a.role, a.department)
    ),
    whom as (
        select o.town_code, o.id, 'reporter' as kind from one as o
        union
        select p.town_code, p.id, 'concerns' from one as o
        join ops.link as l on l.town_code = o.town_code and l.from_id = o.id
        join vault.person as p on p.town_code = l.to_town_code and p.id = l.to_id
        where p.grid_code >= $1 and p.grid_code < $2 and p.gone_on is null
    )
    select w.id, w.kind, i.mask_sealed
    from whom as w join vault.identity as i on i.town_code = w.town_code and i.id = w.id
    order by w.kind desc, w.id
$function$;
grant execute on function pub.case_people to atlas_web;
