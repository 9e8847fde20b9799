-- Grid workers whose figures the session may see, by name and never by figure.
create or replace function pub.workers()
returns table (account text, name text, scope text)
language sql stable as $function$
    select a.account, a.name, a.scope
    from auth.account as a cross join auth.actor() as who
    where a.role = 'grid_worker' and not a.is_disabled
        and (who.role = 'dispatcher' and starts_with(a.scope, who.scope) or a.account = who.account)
    order by a.name, a.account
$function$;
grant execute on function pub.workers to atlas_web;
