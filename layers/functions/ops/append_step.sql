-- Append one step to the log and tell who listens.
--
-- The number comes last and under a lock that is held until the commit: numbers are in the order of commits, so that
-- whoever asks for "all after n" misses nothing. A message names the step and no words of anybody. The audit has the step
-- too, whoever took it; its lock comes before that of the numbers, for the sealer waits between them. A resident's receipt
-- opens the case, and is not written there.
create or replace function ops.append_step(
    one ops.event, step text, from_state text, account text, actor text, department text, reason text,
    request_key text, until_at timestamptz, duplicate_of bigint, moment timestamptz
)
returns bigint
language plpgsql as $function$
declare
    number bigint;
begin
    perform audit.write('case_step', case when $5 <> 'resident' then $4 end, $5, auth.low(), one.id::text,
        jsonb_build_object('step', $2, 'state', one.state, 'version', one.version));
    perform pg_advisory_xact_lock(4490004);
    number := nextval('ops.change_no');
    insert into ops.event_step (town_code, event_id, step_no, at, from_state, state, department, actor, reason, step,
        account, request_key, until_at, duplicate_of, change_no, recorded_at)
    values (one.town_code, one.id,
        (select coalesce(max(s.step_no), 0) + 1 from ops.event_step as s
            where s.town_code = one.town_code and s.event_id = one.id),
        $11, $3, one.state, $6, $5, $7, $2, $4, $8, $9, $10, number,
        clock_timestamp());
    perform pg_notify('cases', number::text);
    return number;
end
$function$;
