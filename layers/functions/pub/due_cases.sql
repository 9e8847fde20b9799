-- Open cases on both sides of their deadline: those that fall due next, and those that have been late for longest.
-- Category, grid, state and time, no more; nothing sensitive.
create or replace function pub.due_cases(low text, high text, categories text[], moment timestamptz, most integer)
returns table (grid_code text, category text, state text, due_at timestamptz, is_urgent boolean)
language sql stable as $function$
    with mine as materialized (
        select e.grid_code, e.category, e.state, e.due_at, e.is_urgent
        from ops.event as e
        where e.state not in ('refused', 'closed') and e.gone_on is null and not e.is_sensitive and e.due_at is not null
            and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
            and (cardinality($3) = 0 or e.category = any ($3))
    )
    (select * from mine where mine.due_at >= $4 order by mine.due_at, mine.grid_code limit $5)
    union all
    (select * from mine where mine.due_at < $4 order by mine.due_at, mine.grid_code limit $5)
$function$;
grant execute on function pub.due_cases to atlas_web;
