-- How many visits are overdue in each grid with codes of so many digits, over all groups that are not restricted, as
-- the ten above: 10 stands for 1 to 10. For leaders.
create or replace function pub.late_care(low text, high text, digits integer, day date)
returns table (grid_code text, n bigint)
language sql stable as $function$
    select left(c.grid_code, $3), (count(*) + 9) / 10 * 10
    from auth.actor() as a cross join lateral vault.care_records($1, $2) as c
    where auth.covers($1, $2) and a.role = 'leader' and not c.is_restricted and c.due_on < $4
        and length(c.grid_code) >= $3
    group by 1 order by 1
$function$;
grant execute on function pub.late_care to atlas_web;
