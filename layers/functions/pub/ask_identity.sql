-- Ask to open one field of one person, for a purpose, and for a case unless it is a care record of one's own. It is
-- logged here; the value is read in another transaction, by the number this gives. NULL: no more today.
create or replace function pub.ask_identity(
    low text, high text, row_id bigint, field text, purpose text, event_id bigint
)
returns bigint
language plpgsql as $function$
declare
    who record;
    whom record;
    made bigint;
    most integer;
begin
    select a.* into who from auth.actor() as a;
    if $6 is null then
        select c.town_code, 'person ' || encode(c.subject, 'hex') as subject into whom
        from vault.care_records($1, $2) as c
        where c.person_id = $3 and auth.covers($1, $2)
            and vault.cares(who.account, who.role, c.role, c.is_restricted, c.responsible);
    else
        select i.town_code, coalesce('person ' || encode(p.subject, 'hex'), 'case ' || $6) as subject into whom
        from pub.case_people($1, $2, $6) as c
        join vault.identity as i on i.id = c.row_id
        left join vault.person as p on p.town_code = i.town_code and p.id = i.id
        where c.row_id = $3;
    end if;
    if not found then
        raise exception 'there is nobody %', $3 using errcode = 'MQ001';
    end if;
    if $4 is null or not $4 in ('name', 'number', 'phone') then
        raise exception 'one field is opened at a time' using errcode = 'MQ004', detail = 'field';
    end if;
    if $5 is null or not $5 in ('visit', 'contact', 'emergency', 'correction') then
        raise exception 'opening takes a purpose' using errcode = 'MQ004', detail = 'purpose';
    end if;
    perform pg_advisory_xact_lock(4490011, hashtext(who.account));
    most := case who.role when 'case_officer' then 80 else 40 end;
    if (select count(*) from vault.opening as o
        where o.account = who.account and o.asked_at > clock_timestamp() - interval '1 day') >= most then
        perform audit.write('person_read', who.account, who.role, who.scope, whom.subject,
            jsonb_build_object('field', $4, 'purpose', $5, 'case', $6, 'refused', 'limit'));
        return null;
    end if;
    insert into vault.opening (town_code, row_id, event_id, field, purpose, account, asked_at, txid)
    values (whom.town_code, $3, $6, $4, $5, who.account, clock_timestamp(), pg_current_xact_id()::text::bigint)
    returning vault.opening.id into made;
    perform audit.write('person_read', who.account, who.role, who.scope, whom.subject,
        jsonb_build_object('field', $4, 'purpose', $5, 'case', $6, 'opening', made));
    return made;
end
$function$;
grant execute on function pub.ask_identity to atlas_web;
