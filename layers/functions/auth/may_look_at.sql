-- Refuse whoever may not see the figures of a grid worker: they are for the worker, and for a dispatcher in whose scope
-- the worker's lies. A look at somebody else's is written into the audit.
create or replace function auth.may_look_at(worker text)
returns void
language plpgsql as $function$
declare
    who record;
begin
    select a.* into who from auth.actor() as a;
    if who.role = 'grid_worker' and who.account = $1 then
        return;
    end if;
    if who.role is distinct from 'dispatcher' then
        raise exception 'figures of a grid worker are for the worker and the command centre' using errcode = 'MQ003';
    end if;
    if not exists (select from auth.account as a
        where a.account = $1 and a.role = 'grid_worker' and starts_with(a.scope, who.scope)) then
        raise exception 'there is no grid worker % here', $1 using errcode = 'MQ001';
    end if;
    perform audit.write('person_read', who.account, who.role, who.scope, $1, jsonb_build_object('what', 'figures'));
end
$function$;
