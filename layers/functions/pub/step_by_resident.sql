-- Take a step of one's own report without an account: who has the receipt has the report.
create or replace function pub.step_by_resident(
    receipt text, town_code text, event_id bigint, seen_version integer, request_key text, step text, reason text,
    promise jsonb, zone text, at timestamptz
)
returns table (version integer, state text, change_no bigint, is_new boolean)
language sql as $function$
    select m.* from ops.move_case('0', ':', $2, $3, $4, $5, $6, ops.of_receipt($1), 'resident', null, $7, null, null,
        null, null, $8, $9, $10) as m
$function$;
grant execute on function pub.step_by_resident to atlas_web;
