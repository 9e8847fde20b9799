-- Put a case on the wall, or say it anew: the former words are withdrawn. Who releases writes the words: those of the
-- reporter, and numbers that could be a phone's or a paper's, are refused, and nothing sensitive is ever shown.
create or replace function pub.release_echo(low text, high text, event_id bigint, problem text, measure text, result text)
returns bigint
language plpgsql as $function$
declare
    who record;
    one ops.event;
    words text;
    said text;
    heard text;
    made bigint;
begin
    select a.* into who from auth.actor() as a;
    if not coalesce(who.role in ('dispatcher', 'case_officer'), false) then
        raise exception 'a % may not release', coalesce(who.role, 'stranger') using errcode = 'MQ003';
    end if;
    select e.* into one from ops.event as e
    where e.id = $3 and auth.covers($1, $2) and e.grid_code >= $1 and e.grid_code < $2 and e.gone_on is null
    for update;
    if not found then
        raise exception 'there is no case %', $3 using errcode = 'MQ001';
    end if;
    if one.is_sensitive or one.state in ('reported', 'refused') then
        raise exception 'a case is released once it is accepted, and never a sensitive one' using errcode = 'MQ003';
    end if;
    if coalesce(btrim($4), '') = '' or coalesce(btrim($5), '') = '' then
        raise exception 'the wall needs the problem and what is done about it' using errcode = 'MQ004',
            detail = case when coalesce(btrim($4), '') = '' then 'problem' else 'measure' end;
    end if;
    heard := regexp_replace(lower(coalesce(one.summary, '')), '[[:space:],.!?;:，。！？；：、“”（）()]', '', 'g');
    foreach words in array array[$4, $5, coalesce($6, '')] loop
        said := regexp_replace(lower(words), '[[:space:],.!?;:，。！？；：、“”（）()]', '', 'g');
        if length(said) > 500 then
            raise exception 'the wall has room for 500 characters each' using errcode = 'MQ004', detail = 'problem';
        end if;
        if length(heard) >= 5 and length(said) >= 5
            and (strpos(said, heard) > 0 or strpos(heard, said) > 0) then
            raise exception 'these are the words of the reporter; write your own' using errcode = 'MQ004',
                detail = 'problem';
        end if;
        if regexp_replace(translate(words, '０１２３４５６７８９', '0123456789'), '[[:space:]-]', '', 'g') ~ '[0-9]{7,}' then
            raise exception 'the wall shows no number of a phone or a paper' using errcode = 'MQ004',
                detail = 'problem';
        end if;
    end loop;
    update ops.echo as o set withdrawn_at = clock_timestamp(), withdrawn_by = who.account, withdraw_reason = 'said anew'
    where o.town_code = one.town_code and o.event_id = one.id and o.withdrawn_at is null;
    insert into ops.echo (town_code, event_id, problem, measure, result, released_at, released_by)
    values (one.town_code, one.id, btrim($4), btrim($5), nullif(btrim($6), ''), clock_timestamp(), who.account)
    returning id into made;
    perform audit.write('release', who.account, who.role, who.scope, one.id::text, jsonb_build_object('what', 'echo'));
    return made;
end
$function$;
grant execute on function pub.release_echo to atlas_web;
