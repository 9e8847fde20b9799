-- The case that speaks for one that was folded: the last of those it was merged into; none for any other.
create or replace function ops.original_of(one ops.event)
returns ops.event
language sql stable as $function$
    with recursive up as (
        select one.town_code, one.id, one.outcome, 0 as n
        union all
        select o.town_code, o.id, o.outcome, u.n + 1
        from up as u
        cross join lateral (
            select s.duplicate_of from ops.event_step as s where s.town_code = u.town_code and s.event_id = u.id
            order by s.step_no desc limit 1) as m
        join ops.event as o on o.id = m.duplicate_of
        where u.outcome = 'duplicate'
    )
    select e from up as u join ops.event as e on e.town_code = u.town_code and e.id = u.id
    where u.n > 0 order by u.n desc limit 1
$function$;
