create or replace function auth.high() returns text
language sql stable parallel safe as
$$ select s.high from auth.span() as s $$;
grant execute on function auth.high to atlas_web, atlas_analyst;
