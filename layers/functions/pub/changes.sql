-- Steps taken here after a number, in the order of commits: what a live push sends on. No words of anybody, and
-- nothing of a sensitive case.
--
-- Read from the log on, in its order, and case by case: few steps are new, and the city has a million cases.
create or replace function pub.changes(low text, high text, after bigint, most integer)
returns table (
    change_no bigint, at timestamptz, event_id bigint, dataset text, category text, grid_code text, step text,
    from_state text, state text, department text, due_at timestamptz, is_urgent boolean
)
language sql stable as $function$
    select s.change_no, s.at, e.id, e.dataset, e.category, e.grid_code, s.step, s.from_state, s.state, s.department,
        e.due_at, e.is_urgent
    from (
        select t.* from ops.event_step as t where t.change_no > $3 and auth.covers($1, $2) order by t.change_no offset 0
    ) as s
    cross join lateral (
        select o.id, o.dataset, o.category, o.grid_code, o.due_at, o.is_urgent
        from ops.event as o
        where o.town_code = s.town_code and o.id = s.event_id and o.grid_code >= $1 and o.grid_code < $2
            and not o.is_sensitive
        offset 0
    ) as e
    order by s.change_no
    limit $4
$function$;
grant execute on function pub.changes to atlas_web;
