-- Whether an account reported a case.
create or replace function ops.reported_by(one ops.event, account text) returns boolean
language sql stable as $function$
    select exists (select from ops.event_step as s where s.town_code = one.town_code and s.event_id = one.id
        and s.step = 'report' and s.account = $2)
$function$;
