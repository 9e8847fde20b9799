-- Write down a visit or patrol in the name of the session, and what was found. The same key again is the same visit.
create function pub.record_visit(
    low text, high text, grid_code text, edition smallint, request_key text, concerns_id bigint, found text,
    at timestamptz
)
returns bigint
language plpgsql as $function$
declare
    who record;
    made bigint;
    moment timestamptz := coalesce($8, clock_timestamp());
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
    insert into ops.visit (town_code, grid_code, edition, dataset, source_key, visited_at, worker_key, concerns_id,
        found, updated_at)
    values (left(rpad($3, 9, '0'), 9), $3, $4, 'visit', who.account || '/' || $5, moment, who.account, $6, $7,
        clock_timestamp())
    on conflict on constraint uq_visit_dataset_source_key_town_code do nothing returning ops.visit.id into made;
    if made is null then
        select v.id into made from ops.visit as v
        where v.dataset = 'visit' and v.source_key = who.account || '/' || $5
            and v.town_code = left(rpad($3, 9, '0'), 9);
    end if;
    return made;
end
$function$
