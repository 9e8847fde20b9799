-- Add a photo to a case that the session works on. The same picture again is the same photo.
create or replace function pub.add_photo(
    low text, high text, event_id bigint, sha256 bytea, width smallint, height smallint, jpeg bytea
)
returns bigint
language plpgsql as $function$
declare
    one ops.event;
    who record;
    made bigint;
begin
    select a.* into who from auth.actor() as a;
    select e.* into one from ops.event as e
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2;
    if not found or not ops.works_on(one, who.account, who.role, who.department) then
        raise exception 'there is no case %', $3 using errcode = 'MQ001';
    end if;
    if (select count(*) from ops.photo as p where p.town_code = one.town_code and p.event_id = one.id) >= 20 then
        raise exception 'case % has twenty photos', $3 using errcode = 'MQ003';
    end if;
    insert into ops.photo (town_code, event_id, sha256, taken_by, at, width, height, jpeg)
    values (one.town_code, one.id, $4, who.account, clock_timestamp(), $5, $6, $7)
    on conflict on constraint uq_photo_town_code_event_id_sha256 do nothing returning ops.photo.id into made;
    if made is null then
        select p.id into made from ops.photo as p
        where p.town_code = one.town_code and p.event_id = one.id and p.sha256 = $4;
    end if;
    return made;
end
$function$;
grant execute on function pub.add_photo to atlas_web;
