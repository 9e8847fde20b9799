-- Make a case. The same dataset and key again is the same case: a resend does nothing twice.
create or replace function ops.make_case(
    low text, high text, dataset text, request_key text, account text, role text, category text, grid_code text,
    edition smallint, tied_by text, lon double precision, lat double precision, channel text, is_urgent boolean,
    is_sensitive boolean, summary text, attrs jsonb, zone text, at timestamptz
)
returns table (town_code text, id bigint, version integer, state text, change_no bigint, is_new boolean)
language plpgsql as $function$
declare
    one ops.event;
    moment timestamptz := coalesce($19, clock_timestamp());
begin
    if moment > clock_timestamp() then
        raise exception 'a case cannot be reported before it happens' using errcode = 'MQ004', detail = 'at';
    end if;
    if $8 < $1 or $8 >= $2 then
        raise exception 'grid % is out of reach', $8 using errcode = 'MQ001';
    end if;
    if not exists (select from ops.transition as t where t.step = 'report' and $6 = any (t.roles)) then
        raise exception 'a % may not take step report', $6 using errcode = 'MQ003';
    end if;
    one.town_code := left(rpad($8, 9, '0'), 9);
    one.id := nextval('ops.row_id');
    one.updated_at := clock_timestamp();
    insert into raw.source_registry values ($3, $4, one.town_code, one.id, 0, one.updated_at)
    on conflict on constraint pk_source_registry do nothing;
    if not found then
        return query select e.town_code, e.id, e.version, e.state,
            (select max(s.change_no) from ops.event_step as s where s.town_code = e.town_code and s.event_id = e.id), false
        from raw.source_registry as r join ops.event as e on e.town_code = r.town_code and e.id = r.id
        where r.dataset = $3 and r.source_key = $4 and e.grid_code >= $1 and e.grid_code < $2;
        return;
    end if;
    insert into ops.event (town_code, id, grid_code, edition, dataset, source_key, delivery_id, updated_at, category,
        state, reported_at, channel, is_urgent, is_on_spot, summary, version, tied_by, is_sensitive, attrs, geom)
    values (one.town_code, one.id, $8, $9, $3, $4, 0, one.updated_at, $7, 'reported', moment, $13, $14, false,
        $16, 1, $10, $15, $17,
        case when $11 is not null then st_setsrid(st_makepoint($11, $12), 4490) end)
    returning * into one;
    perform ops.count_case(one, $18, 1);
    return query select one.town_code, one.id, one.version, one.state,
        ops.append_step(one, 'report', null, $5, $6, null, null, $4, null, null, moment), true;
end
$function$;
