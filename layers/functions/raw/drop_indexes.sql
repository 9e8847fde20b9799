create or replace function raw.drop_indexes(of_table text) returns boolean
language plpgsql as $$
declare
    target regclass := of_table::regclass;
    is_filled boolean;
    one record;
begin
    if of_table not in (
        'vault.person', 'vault.identity', 'ops.event', 'ops.event_step', 'ops.place', 'ops.thing', 'ops.organisation',
        'ops.measure', 'ops.reading', 'ops.grid_worker', 'raw.source_registry', 'pub.tally_small_month',
        'pub.tally_medium_day', 'pub.tally_large_month', 'vault.tally_small_month', 'vault.tally_medium_day',
        'vault.tally_large_month'
    ) then
        raise exception 'the indexes of % are not dropped for loading', of_table;
    end if;
    execute format('lock table %s in access exclusive mode', target);
    execute format('select exists (select from %s)', target) into is_filled;
    if is_filled then
        return false;
    end if;
    for one in
        select rank, name, holder, made,
               row_number() over (order by rank, name) as position
        from (
            select case c.contype when 'p' then 1 when 'u' then 2 else 4 end as rank, c.conname::text as name,
                   c.conrelid::regclass as holder, true as is_constraint,
                   format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname,
                          pg_get_constraintdef(c.oid)) as made
            from pg_constraint c
            where (c.conrelid = target and c.contype in ('p', 'u', 'f')) or (c.confrelid = target and c.contype = 'f')
            union all
            select 3, i.indexrelid::regclass::text, null, false, pg_get_indexdef(i.indexrelid)
            from pg_index i
            where i.indrelid = target
              and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u'))
        ) held
        order by rank desc, name
    loop
        insert into raw.held_index values (of_table, one.position, one.made);
        if one.holder is null then
            execute format('drop index %s', one.name);
        else
            execute format('alter table %s drop constraint %I', one.holder, one.name);
        end if;
    end loop;
    -- rows that go into a table emptied in the same transaction need not be written twice (wal_level minimal)
    execute format('truncate %s', target);
    -- COPY is refused where rows are guarded one by one; nobody else sees the table until the guard is back
    execute format('alter table %s disable row level security', target);
    return true;
end $$;
comment on function raw.drop_indexes is 'Drop keys and indexes of an empty table before its first load; false when it has rows.';
grant execute on function raw.drop_indexes to atlas_loader;
