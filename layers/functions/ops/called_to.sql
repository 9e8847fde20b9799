-- Whether a department was called to a case that another one leads.
create or replace function ops.called_to(one ops.event, department text) returns boolean
language sql stable as $function$
    select exists (select from ops.call as c where c.town_code = one.town_code and c.event_id = one.id
        and $2 = any (c.departments))
$function$;
