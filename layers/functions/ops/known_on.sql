create or replace function ops.known_on(of_dataset text, on_day date, zone text) returns table (
    town_code text, id bigint, source_key text, grid_code text, delivery_id bigint, valid_from timestamptz,
    valid_to timestamptz, content jsonb
) language plpgsql stable as $$
declare
    kind text := (select d.table_name from pub.dataset d where d.dataset = of_dataset);
    place text := case when kind = 'person' then 'vault' else 'ops' end;
    until timestamptz := (on_day + 1)::timestamp at time zone zone;
begin
    if kind is null or kind in ('grid', 'event_step', 'reading') then
        raise exception 'no versions are kept of dataset %', of_dataset;
    end if;
    return query execute format(
        'with known as (
            select t.town_code, t.id, t.source_key, t.grid_code, t.delivery_id, d.loaded_at as valid_from,
                   null::timestamptz as valid_to, t.gone_on, to_jsonb(t) as content
            from %1$I.%2$I t join raw.delivery d on d.id = t.delivery_id
            where t.dataset = $1 and d.loaded_at < $2
            union all
            select p.town_code, p.of_id, p.source_key, p.grid_code, p.delivery_id, p.valid_from, p.valid_to,
                   (p.content ->> ''gone_on'')::date, p.content
            from %1$I.past p
            where p.dataset = $1 and p.valid_from < $2 and p.valid_to >= $2
        )
        select k.town_code, k.id, k.source_key, k.grid_code, k.delivery_id, k.valid_from, k.valid_to, k.content
        from known k where k.gone_on is null or k.gone_on > $3 order by k.source_key', place, kind)
    using of_dataset, until, on_day;
end $$;
grant execute on function ops.known_on to atlas_loader;
