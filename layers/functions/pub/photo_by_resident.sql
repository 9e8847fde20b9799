-- Add a photo to one's own report without an account: who has the receipt has the report. Three at the most, while the
-- case is open. The same picture again is the same photo.
create or replace function pub.photo_by_resident(receipt text, sha256 bytea, width smallint, height smallint, jpeg bytea)
returns bigint
language plpgsql as $function$
declare
    one ops.event;
    made bigint;
begin
    select e.* into one from ops.event_step as s join ops.event as e on e.town_code = s.town_code and e.id = s.event_id
    where s.step = 'report' and s.account = ops.of_receipt($1) and e.gone_on is null
        and e.state not in ('closed', 'refused')
    order by e.reported_at desc limit 1 for update of e;
    if not found then
        raise exception 'there is no open case of this receipt' using errcode = 'MQ001';
    end if;
    select p.id into made from ops.photo as p
    where p.town_code = one.town_code and p.event_id = one.id and p.sha256 = $2;
    if made is not null then
        return made;
    end if;
    if (select count(*) from ops.photo as p where p.town_code = one.town_code and p.event_id = one.id
            and p.taken_by = ops.of_receipt($1)) >= 3 then
        raise exception 'this report has three photos' using errcode = 'MQ003';
    end if;
    insert into ops.photo (town_code, event_id, sha256, taken_by, at, width, height, jpeg)
    values (one.town_code, one.id, $2, ops.of_receipt($1), clock_timestamp(), $3, $4, $5) returning id into made;
    return made;
end
$function$;
grant execute on function pub.photo_by_resident to atlas_web;
