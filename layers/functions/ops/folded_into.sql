-- Every case that was folded into one, at whatever remove, by a merge that still stands.
create or replace function ops.folded_into(event_id bigint)
returns table (town_code text, id bigint)
language sql stable as $function$
    with recursive fold as (
        select $1 as id, null::text collate "C" as town_code
        union
        select m.event_id, m.town_code
        from fold as f
        join ops.event_step as m on m.duplicate_of = f.id and m.step = 'merge'
        join ops.event as e on e.town_code = m.town_code and e.id = m.event_id and e.outcome = 'duplicate'
        where not exists (
            select from ops.event_step as later where later.town_code = m.town_code and later.event_id = m.event_id
                and later.step_no > m.step_no)
    )
    select f.town_code, f.id from fold as f where f.town_code is not null
$function$;
