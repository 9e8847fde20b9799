create or replace function raw.make_indexes(of_table text) returns void
language plpgsql as $$
declare
    one text;
begin
    for one in select statement from raw.held_index where table_name = of_table order by position loop
        execute one;
    end loop;
    delete from raw.held_index where table_name = of_table;
    if (select relforcerowsecurity and not relrowsecurity from pg_class where oid = of_table::regclass) then
        execute format('alter table %s enable row level security', of_table::regclass);
    end if;
end $$;
comment on function raw.make_indexes is 'Make again what raw.drop_indexes dropped.';
grant execute on function raw.make_indexes to atlas_loader;
