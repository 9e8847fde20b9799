create or replace function pub.scope() returns text
language sql stable parallel safe as
$$ select auth.low() $$;
comment on function pub.scope is 'First code of what may be seen; NULL where nothing may.';
grant execute on function pub.scope to atlas_web, atlas_analyst;
