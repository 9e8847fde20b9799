-- Cases as other systems may see them: the holder's own with their words and exact place; of others none that is
-- sensitive, no words, and the place to a thousandth of a degree. A sensitive case of one's own shows once it was
-- accepted. One that was folded into another has the state of that beside its own.
create or replace function pub.list_requests(low text, high text, asked jsonb, most integer, past integer)
returns table (
    id bigint, grid_code text, category text, state text, outcome text, department text, channel text,
    reported_at timestamptz, due_at timestamptz, closed_at timestamptz, changed_at timestamptz,
    lon double precision, lat double precision, summary text, is_own boolean, source_key text,
    original_state text
)
language plpgsql stable as $function$
declare
    who record;
begin
    select h.* into who from auth.holder() as h;
    if who.name is null or $1 collate "C" < who.low or $2 collate "C" > who.high then
        raise exception 'grid % is out of reach', $1 using errcode = 'MQ001';
    end if;
    return query
    select e.id, e.grid_code, e.category, e.state, e.outcome, e.department, e.channel, e.reported_at, e.due_at,
        e.closed_at, e.updated_at, p.lon, p.lat, case when o.own then e.summary end, o.own,
        case when o.own then e.source_key end,
        (select f.state from ops.original_of(e) as f where not f.is_sensitive)
    from ops.event as e
    cross join lateral (select not who.is_open and ops.sent_by(e, who.name, who.channel, who.dataset) as own) as o
    cross join lateral (select
        case when st_geometrytype(e.geom) = 'ST_Point' then round(st_x(e.geom)::numeric, case when o.own then 7 else 3 end) end::float8 as lon,
        case when st_geometrytype(e.geom) = 'ST_Point' then round(st_y(e.geom)::numeric, case when o.own then 7 else 3 end) end::float8 as lat
    ) as p
    where e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
        and (not e.is_sensitive or $3 ? 'ids' and o.own and e.state not in ('reported', 'refused'))
        and case when $3 ? 'ids' then e.id in (select i::bigint from jsonb_array_elements_text($3 -> 'ids') as i)
            else e.reported_at >= ($3 ->> 'since')::timestamptz and e.reported_at <= ($3 ->> 'until')::timestamptz end
        and (not $3 ? 'categories' or $3 -> 'categories' ? e.category)
        and (not $3 ? 'is_open' or ($3 -> 'is_open')::boolean = (e.state not in ('closed', 'refused')))
        and (not $3 ? 'updated_since' or e.updated_at >= ($3 ->> 'updated_since')::timestamptz)
        and (not $3 ? 'own' or o.own)
    order by e.reported_at desc, e.id desc
    limit $4 offset $5;
end
$function$;
grant execute on function pub.list_requests to atlas_web;
