-- Cases that are open, counted by the grids of one length of code and by category and state: how many, how many past
-- their deadline, and how many nobody has answered for a day. Nothing sensitive.
create or replace function pub.open_cases(low text, high text, digits integer, moment timestamptz)
returns table (grid_code text, category text, state text, n integer, n_late integer, n_unanswered integer)
language sql stable as $function$
    select left(e.grid_code, $3), e.category, e.state, count(*)::integer,
        (count(*) filter (where e.due_at < $4))::integer,
        (count(*) filter (where e.state = 'reported' and e.reported_at < $4 - interval '1 day'))::integer
    from ops.event as e
    where e.state not in ('refused', 'closed') and e.gone_on is null and not e.is_sensitive
        and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2
    group by 1, 2, 3
$function$;
grant execute on function pub.open_cases to atlas_web;
