-- The number of the last step taken here, whatever grid it was in; NULL where the range may not be seen.
create or replace function pub.last_change(low text, high text)
returns bigint
language sql stable as $function$
    select coalesce(max(s.change_no), 0) from ops.event_step as s where s.change_no is not null
    having auth.covers($1, $2)
$function$;
grant execute on function pub.last_change to atlas_web;
