-- Write down a visit to somebody who is offered care, in the name of the session. The same key again is the same visit.
create or replace function pub.visit_care(
    low text, high text, person_id bigint, request_key text, visited_on date, status text, found text
)
returns bigint
language plpgsql as $function$
declare
    who record;
    one record;
    made bigint;
begin
    select a.* into who from auth.actor() as a;
    select c.* into one from vault.care_records($1, $2) as c
    where c.person_id = $3 and auth.covers($1, $2)
        and vault.cares(who.account, who.role, c.role, c.is_restricted, c.responsible);
    if not found then
        raise exception 'there is no care record %', $3 using errcode = 'MQ001';
    end if;
    if $5 is null or $5 > (now() + interval '14 hours')::date then
        raise exception 'a visit cannot be written down before it happens' using errcode = 'MQ004', detail = 'visited_on';
    end if;
    if $6 is null or not $6 in ('at_home', 'away', 'in_care', 'declined') then
        raise exception 'a visit needs how the person was found' using errcode = 'MQ004', detail = 'status';
    end if;
    insert into vault.care_visit (town_code, person_id, care_group, account, request_key, visited_on, status, found, at)
    values (one.town_code, $3, one.care_group, who.account, $4, $5, $6, nullif(btrim($7), ''), clock_timestamp())
    on conflict on constraint uq_care_visit_town_code_person_id_account_request_key do nothing
    returning vault.care_visit.id into made;
    if made is null then
        select v.id into made from vault.care_visit as v
        where v.town_code = one.town_code and v.person_id = $3 and v.account = who.account and v.request_key = $4;
    end if;
    return made;
end
$function$;
grant execute on function pub.visit_care to atlas_web;
