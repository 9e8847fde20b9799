-- Delete the photos of cases that were closed before a moment; return how many there were, and with `dry` only that.
create or replace function raw.expire_photos(before timestamptz, dry boolean)
returns bigint
language plpgsql as $function$
declare
    n bigint;
begin
    if $1 > clock_timestamp() - interval '30 days' then
        raise exception 'photos are kept for thirty days after closing, at least';
    end if;
    if $2 then
        select count(*) into n from ops.photo as p
        join ops.event as e on e.town_code = p.town_code and e.id = p.event_id where e.closed_at < $1;
        return n;
    end if;
    delete from ops.photo as p using ops.event as e
    where e.town_code = p.town_code and e.id = p.event_id and e.closed_at < $1;
    get diagnostics n = row_count;
    return n;
end
$function$;
grant execute on function raw.expire_photos to atlas_loader;
