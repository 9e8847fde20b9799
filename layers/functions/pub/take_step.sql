-- Take one step of a case in the name of the session: account, role and department are those of its row.
create or replace function pub.take_step(
    low text, high text, town_code text, event_id bigint, seen_version integer, request_key text, step text,
    reason text, department text, until_at timestamptz, outcome text, duplicate_of bigint, promise jsonb, zone text,
    at timestamptz
)
returns table (version integer, state text, change_no bigint, is_new boolean)
language plpgsql as $function$
declare
    who record;
begin
    select a.* into who from auth.actor() as a;
    if not auth.covers($1, $2) then
        raise exception 'there is no case %', $4 using errcode = 'MQ001';
    end if;
    return query select m.* from ops.move_case($1, $2, $3, $4, $5, $6, $7, who.account, who.role, who.department, $8,
        $9, $10, $11, $12, $13, $14, $15) as m;
end
$function$;
grant execute on function pub.take_step to atlas_web;
