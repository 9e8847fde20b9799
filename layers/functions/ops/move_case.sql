-- Take one step of a case: the only way by which a case moves on.
--
-- The row is locked, and with it the one it is merged into, so that no two are merged into each other. A key seen before
-- gives the old answer; a version that is not the present one, a step that is not in ops.transition, a role that may not
-- take it or a need that is not met is refused. Then event, counts, promise and log change in one transaction.
create or replace function ops.move_case(
    low text, high text, town_code text, event_id bigint, seen_version integer, request_key text, step text,
    account text, role text, own_department text, reason text, department text, until_at timestamptz, outcome text,
    duplicate_of bigint, promise jsonb, zone text, at timestamptz
)
returns table (version integer, state text, change_no bigint, is_new boolean)
language plpgsql as $function$
declare
    one ops.event;
    rule ops.transition;
    old ops.event_step;
    missing text;
    moment timestamptz := coalesce($18, clock_timestamp());
begin
    if $15 is not null then
        perform from ops.event as e where e.id in ($4, $15) order by e.id for update;
    end if;
    select e.* into one from ops.event as e
    where e.town_code = $3 and e.id = $4 and e.grid_code >= $1 and e.grid_code < $2 for update;
    if not found then
        raise exception 'there is no case %', $4 using errcode = 'MQ001';
    end if;
    select s.* into old from ops.event_step as s
    where s.town_code = $3 and s.event_id = $4 and s.request_key = $6;
    if found then
        if (old.step, old.account) is distinct from ($7, $8) then
            raise exception 'the key of this request was used for another step' using errcode = 'MQ002';
        end if;
        return query select one.version, one.state, old.change_no, false;
        return;
    end if;
    if one.version <> $5 then
        raise exception 'the case has changed: version %, not %', one.version, $5 using errcode = 'MQ002';
    end if;
    select t.* into rule from ops.transition as t where t.step = $7 and t.from_state = one.state;
    if not found or not $9 = any (rule.roles) or $7 = 'report' then
        raise exception 'a % may not take step % from state %', $9, $7, one.state using errcode = 'MQ003';
    end if;
    missing := case
        when moment > clock_timestamp() or moment < (select max(s.at) from ops.event_step as s
            where s.town_code = $3 and s.event_id = $4) then 'at'
        when $7 = 'merge' and not exists (
            select from ops.event as e where e.id = $15 and e.grid_code >= $1 and e.grid_code < $2
                and e.gone_on is null) then 'original'
        else ops.missing_need(one, rule.needs, $8, $9, $10, $11, $12, $13, $14, $15, moment) end;
    if missing is not null then
        raise exception 'step % needs %', $7, missing using errcode = 'MQ004', detail = missing;
    end if;
    perform ops.count_case(one, $17, -1);
    update ops.event as e set
        state = rule.state,
        version = e.version + 1,
        updated_at = clock_timestamp(),
        department = case when $7 = 'dispatch' then $12 else e.department end,
        is_on_spot = e.is_on_spot or $7 = 'settle_on_spot',
        closed_at = case when rule.state = 'closed' then moment end,
        outcome = case when rule.state <> 'closed' then null when $7 = 'settle_on_spot' then 'settled'
            when $7 = 'merge' then 'duplicate' when $7 = 'withdraw' then 'void' else $14 end,
        is_satisfied = case when $7 = 'reopen' then null else e.is_satisfied end,
        due_at = case when $16 is null then e.due_at else ($16 ->> 'due_at')::timestamptz end
    where e.town_code = $3 and e.id = $4 returning e.* into one;
    update raw.source_registry as r set updated_at = one.updated_at
    where r.dataset = one.dataset and r.source_key = one.source_key;
    perform ops.count_case(one, $17, 1);
    if $16 is not null then
        insert into ops.promise (town_code, event_id, round, department, made_at, amount, unit, used, clock_at, due_at,
            is_provisional)
        select $3, $4, p.round, p.department, p.made_at, p.amount, p.unit, p.used, p.clock_at, p.due_at,
            p.is_provisional
        from jsonb_to_record($16) as p (round smallint, department text, made_at timestamptz, amount double precision,
            unit text, used double precision, clock_at timestamptz, due_at timestamptz, is_provisional boolean)
        on conflict on constraint uq_promise_town_code_event_id_round do update set department = excluded.department,
            amount = excluded.amount, used = excluded.used, clock_at = excluded.clock_at, due_at = excluded.due_at,
            is_provisional = excluded.is_provisional;
    end if;
    return query select one.version, one.state,
        ops.append_step(one, $7, rule.from_state, $8, $9, coalesce($12, one.department), $11, $6, $13, $15, moment), true;
end
$function$;
