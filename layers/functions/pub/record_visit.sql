-- Write down a visit or patrol in the name of the session, and what was found: of a grid, or of something in its town that
-- the session sees. The same key again is the same visit.
create or replace function pub.record_visit(
    low text, high text, grid_code text, edition smallint, request_key text, concerns_id bigint, found text,
    at timestamptz
)
returns bigint
language plpgsql as $function$
declare
    who record;
    made bigint;
    moment timestamptz := coalesce($8, clock_timestamp());
    town constant text := left(rpad($3, 9, '0'), 9);
begin
    select a.* into who from auth.actor() as a;
    if not auth.covers($1, $2) or $3 < $1 or $3 >= $2 then
        raise exception 'grid % is out of reach', $3 using errcode = 'MQ001';
    end if;
    if not who.role in ('grid_worker', 'case_officer') then
        raise exception 'a % may not write down a visit', who.role using errcode = 'MQ003';
    end if;
    if coalesce(btrim($7), '') = '' then
        raise exception 'a visit needs what was found' using errcode = 'MQ004', detail = 'found';
    end if;
    if moment > clock_timestamp() then
        raise exception 'a visit cannot be written down before it happens' using errcode = 'MQ004', detail = 'at';
    end if;
    if $6 is not null and not exists (
        select from ops.event as e
        where e.town_code = town and e.id = $6 and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
            and ops.works_on(e, who.account, who.role, who.department)
        union all
        select from ops.place as p
        where p.town_code = town and p.id = $6 and p.grid_code >= $1 and p.grid_code < $2 and not p.is_sensitive
        union all
        select from ops.thing as t
        where t.town_code = town and t.id = $6 and t.grid_code >= $1 and t.grid_code < $2 and not t.is_sensitive
        union all
        select from ops.organisation as o
        where o.town_code = town and o.id = $6 and o.grid_code >= $1 and o.grid_code < $2 and not o.is_sensitive
    ) then
        raise exception 'there is nothing of the number %', $6 using errcode = 'MQ001';
    end if;
    insert into ops.visit (town_code, grid_code, edition, dataset, source_key, visited_at, worker_key, concerns_id,
        found, updated_at)
    values (town, $3, $4, 'visit', who.account || '/' || $5, moment, who.account, $6, $7,
        clock_timestamp())
    on conflict on constraint uq_visit_dataset_source_key_town_code do nothing returning ops.visit.id into made;
    if made is null then
        select v.id into made from ops.visit as v
        where v.dataset = 'visit' and v.source_key = who.account || '/' || $5
            and v.town_code = town;
    end if;
    return made;
end
$function$;
grant execute on function pub.record_visit to atlas_web;
