-- Make a list to take along of the records the session visits for, at most fifty, those due first; for one day.
create or replace function pub.make_visit_list(
    low text, high text, token_hash bytea, care_group text, day date
)
returns integer
language plpgsql as $function$
declare
    who record;
    ids bigint[];
begin
    select a.* into who from auth.actor() as a;
    select array_agg(r.person_id order by r.due_on nulls last, r.grid_code, r.person_id) into ids
    from pub.list_care($1, $2, $4, $5, 50) as r where auth.covers($1, $2);
    if ids is null then
        raise exception 'there is nobody to visit' using errcode = 'MQ001';
    end if;
    insert into vault.visit_list (town_code, token_hash, account, made_at, ends_at, person_ids)
    values (left(rpad(who.scope, 9, '0'), 9), $3, who.account, clock_timestamp(), clock_timestamp() + interval '1 day', ids);
    perform audit.write('person_read', who.account, who.role, who.scope, 'visit list',
        jsonb_build_object('n', cardinality(ids), 'group', $4));
    return cardinality(ids);
end
$function$;
grant execute on function pub.make_visit_list to atlas_web;
