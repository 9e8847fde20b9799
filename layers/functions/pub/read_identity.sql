-- Read the field that was asked for, sealed as it is kept: once, within a minute, by who asked, and only when the
-- transaction that logged it has been committed before.
create or replace function pub.read_identity(opening_id bigint)
returns bytea
language plpgsql as $function$
declare
    who record;
    one vault.opening;
    sealed bytea;
begin
    select a.* into who from auth.actor() as a;
    update vault.opening as o set used_at = clock_timestamp()
    where o.id = $1 and o.account = who.account and o.used_at is null
        and o.asked_at > clock_timestamp() - interval '60 s'
        and o.txid <> pg_current_xact_id()::text::bigint and pg_xact_status(o.txid::text::xid8) = 'committed'
    returning o.* into one;
    if one.id is null then
        raise exception 'there is nothing to open' using errcode = 'MQ001';
    end if;
    select case one.field when 'name' then i.name_sealed when 'number' then i.number_sealed else i.phone_sealed end
    into sealed
    from vault.identity as i
    where i.id = one.row_id and (
        exists (select from vault.person as p where p.id = i.id and p.town_code = i.town_code
            and p.grid_code >= auth.low() and p.grid_code < auth.high())
        or exists (select from ops.event as e where e.id = i.id and e.town_code = i.town_code
            and e.grid_code >= auth.low() and e.grid_code < auth.high()));
    return sealed;
end
$function$;
grant execute on function pub.read_identity to atlas_web;
