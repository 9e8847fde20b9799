-- Only an owner may analyse a table before PostgreSQL 17; after a big load the loader has to.
create or replace function ops.analyse(tables regclass[]) returns void language plpgsql as $$
declare one regclass;
begin
    foreach one in array tables loop
        execute format('analyze %s', one);
    end loop;
end $$;
grant execute on function ops.analyse to atlas_loader;
