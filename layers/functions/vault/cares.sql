-- Whether an account visits for a care record: it has the group's role, and is who the record names. A record that
-- names nobody is the work of whoever has that role in the grid; of a restricted group that is nobody.
create or replace function vault.cares(
    account text, role text, group_role text, is_restricted boolean, responsible text
)
returns boolean
language sql immutable as $function$
    select coalesce($2 = $3 and case when $4 then $5 = $1 else coalesce($5, $1) = $1 end, false)
$function$;
