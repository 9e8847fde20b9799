-- Events that were inserted anew in another town: what hangs on them follows, and the old rows go.
create or replace function ops.carry_events(ids bigint[], old_towns text[], new_towns text[])
returns void
language sql as $function$
    with carried as (
        select * from unnest($1, $2, $3) as moved (event_id, old_town, new_town) where old_town <> new_town
    ),
    gone as (
        delete from ops.event_step as s using carried as m
        where s.town_code = m.old_town and s.event_id = m.event_id returning m.new_town, s.*
    )
    insert into ops.event_step (town_code, id, event_id, step_no, at, from_state, state, department, actor, reason,
        delivery_id, step, account, request_key, until_at, duplicate_of, change_no, recorded_at)
    select new_town, id, event_id, step_no, at, from_state, state, department, actor, reason,
        delivery_id, step, account, request_key, until_at, duplicate_of, change_no, recorded_at
    from gone;
    with carried as (
        select * from unnest($1, $2, $3) as moved (event_id, old_town, new_town) where old_town <> new_town
    ),
    gone as (
        delete from ops.promise as p using carried as m
        where p.town_code = m.old_town and p.event_id = m.event_id returning m.new_town, p.*
    )
    insert into ops.promise (town_code, id, event_id, round, department, made_at, amount, unit, used, clock_at, due_at,
        is_provisional)
    select new_town, id, event_id, round, department, made_at, amount, unit, used, clock_at, due_at, is_provisional
    from gone;
    with carried as (
        select * from unnest($1, $2, $3) as moved (event_id, old_town, new_town) where old_town <> new_town
    ),
    gone as (
        delete from ops.visit_back as v using carried as m
        where v.town_code = m.old_town and v.event_id = m.event_id returning m.new_town, v.*
    )
    insert into ops.visit_back (town_code, id, event_id, asked_at, asked_by, way, token_hash, answered_at,
        is_satisfied, reason, declined_at, declined_by, decline_reason)
    select new_town, id, event_id, asked_at, asked_by, way, token_hash, answered_at, is_satisfied, reason, declined_at,
        declined_by, decline_reason
    from gone;
    with carried as (
        select * from unnest($1, $2, $3) as moved (event_id, old_town, new_town) where old_town <> new_town
    ),
    gone as (
        delete from ops.photo as x using carried as m
        where x.town_code = m.old_town and x.event_id = m.event_id returning m.new_town, x.*
    )
    insert into ops.photo (town_code, id, event_id, sha256, taken_by, at, width, height, jpeg)
    select new_town, id, event_id, sha256, taken_by, at, width, height, jpeg
    from gone;
    with carried as (
        select * from unnest($1, $2, $3) as moved (event_id, old_town, new_town) where old_town <> new_town
    ),
    gone as (
        delete from ops.echo as x using carried as m
        where x.town_code = m.old_town and x.event_id = m.event_id returning m.new_town, x.*
    )
    insert into ops.echo (town_code, id, event_id, problem, measure, result, released_at, released_by, withdrawn_at, withdrawn_by, withdraw_reason)
    select new_town, id, event_id, problem, measure, result, released_at, released_by, withdrawn_at, withdrawn_by, withdraw_reason
    from gone;
$function$;
grant execute on function ops.carry_events to atlas_loader;
