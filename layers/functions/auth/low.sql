create or replace function auth.low() returns text
language sql stable parallel safe as
$$ select s.low from auth.span() as s $$;
grant execute on function auth.low to atlas_web, atlas_analyst;
