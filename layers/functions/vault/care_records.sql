-- The care records of a range of grids as they stand: what was delivered, and what visits found since. For the
-- functions that know who asks, and for nobody else.
create or replace function vault.care_records(low text, high text)
returns table (
    person_id bigint, town_code text, grid_code text, subject bytea, care_group text, role text,
    is_restricted boolean, responsible text, offered text, status text, visited_on date, due_on date
)
language sql stable as $function$
    select p.id, p.town_code, p.grid_code, p.subject, g.care_group, g.role, g.is_restricted, p.attrs ->> 'responsible',
        p.attrs ->> 'offered', now_is.status, greatest(c.visited_on, d.visited_on),
        case when now_is.status = 'declined' then null
            when c.visited_on >= coalesce(d.visited_on, c.visited_on) then c.visited_on + g.visit_days
            else coalesce(d.due_on, d.visited_on + g.visit_days, p.updated_at::date) end
    from vault.care_group as g
    join vault.person as p on p.dataset = g.dataset and p.is_sensitive
    cross join lateral (
        select (p.attrs ->> 'visited_on')::date as visited_on, (p.attrs ->> 'due_on')::date as due_on
    ) as d
    left join lateral (
        select v.visited_on, v.status from vault.care_visit as v
        where v.person_id = p.id order by v.visited_on desc, v.id desc limit 1
    ) as c on true
    cross join lateral (
        select case when c.visited_on >= coalesce(d.visited_on, c.visited_on) then c.status
            else p.attrs ->> 'status' end as status
    ) as now_is
    where p.gone_on is null and p.grid_code >= $1 and p.grid_code < $2
$function$;
