-- Events an analyst may read: not the sensitive ones, not those that are gone, and no words of a resident.
--
-- The reporter's summary is left out, and so is every column that any delivery of the dataset declared as free text.
-- Rows that no delivery brought have none of them. The text of the query is fixed; it is executed so that it is planned
-- for the range and the days asked for, which a plain one would not be.
create or replace function pub.read_event(
    low text, high text, dataset text, since timestamptz, until timestamptz, most bigint
)
returns table (
    id bigint, source_key text, grid_code text, tied_by text, category text, state text, outcome text,
    reported_at timestamptz, due_at timestamptz, closed_at timestamptz, department text, channel text,
    is_urgent boolean, is_on_spot boolean, is_satisfied boolean, updated_at timestamptz, attrs jsonb, geom geometry
)
language plpgsql stable parallel restricted as $function$
declare
    is_declared boolean := exists (select from raw.delivery as d where d.dataset = $3);
    hidden text[] := (
        select coalesce(array_agg(distinct one.value ->> 'key'), '{}')
        from raw.delivery as d, jsonb_array_elements(d.declaration -> 'columns') as one
        where d.dataset = $3 and one.value ->> 'type' = 'text'
    );
begin
    if not auth.covers(low, high) then
        return;
    end if;
    return query execute $query$
        select e.id, e.source_key, e.grid_code, e.tied_by, e.category, e.state, e.outcome,
            e.reported_at, e.due_at, e.closed_at, e.department, e.channel,
            e.is_urgent, e.is_on_spot, e.is_satisfied, e.updated_at,
            case when $8 then e.attrs - $7 else '{}' end, e.geom
        from ops.event as e
        where e.grid_code >= $1 and e.grid_code < $2 and e.dataset = $3
            and e.reported_at >= $4 and e.reported_at < $5
            and not e.is_sensitive and e.gone_on is null
        order by e.id
        limit $6
    $query$ using low, high, dataset, since, until, most, hidden, is_declared;
end
$function$;
grant execute on function pub.read_event to atlas_web, atlas_analyst;
