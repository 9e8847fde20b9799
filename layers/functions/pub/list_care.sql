-- The care records the session visits for, the visit that is due first at the top. What names people is masked.
create or replace function pub.list_care(low text, high text, care_group text, day date, most integer)
returns table (
    person_id bigint, grid_code text, care_group text, offered text, status text, visited_on date, due_on date,
    mask_sealed bytea, n bigint, n_late bigint
)
language sql stable as $function$
    select r.person_id, r.grid_code, r.care_group, r.offered, r.status, r.visited_on, r.due_on,
        (select i.mask_sealed from vault.identity as i where i.town_code = r.town_code and i.id = r.person_id),
        r.n, r.n_late
    from (
        select c.*, count(*) over () as n, count(*) filter (where c.due_on < $4) over () as n_late
        from auth.actor() as a cross join lateral vault.care_records($1, $2) as c
        where auth.covers($1, $2) and vault.cares(a.account, a.role, c.role, c.is_restricted, c.responsible)
            and ($3 is null or c.care_group = $3)
        order by c.due_on nulls last, c.grid_code, c.person_id
        limit $5
    ) as r
    order by r.due_on nulls last, r.grid_code, r.person_id
$function$;
grant execute on function pub.list_care to atlas_web;
