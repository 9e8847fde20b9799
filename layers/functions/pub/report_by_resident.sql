-- Make a case for somebody without an account. The receipt is a secret of theirs, of which the log has the digest.
create or replace function pub.report_by_resident(
    receipt text, dataset text, request_key text, category text, grid_code text, edition smallint, tied_by text,
    lon double precision, lat double precision, channel text, is_urgent boolean, is_sensitive boolean, summary text,
    attrs jsonb, zone text, at timestamptz
)
returns table (town_code text, id bigint, version integer, state text, change_no bigint, is_new boolean)
language plpgsql as $function$
declare
    made record;
begin
    select m.* into made from ops.make_case('0', ':', $2, $3, ops.of_receipt($1), 'resident', $4, $5, $6, $7, $8, $9,
        $10, $11, $12, $13, $14, $15, $16) as m;
    if not made.is_new and not exists (
        select from ops.event_step as s where s.town_code = made.town_code and s.event_id = made.id
            and s.step = 'report' and s.account = ops.of_receipt($1)) then
        return;
    end if;
    return query select made.town_code, made.id, made.version, made.state, made.change_no, made.is_new;
end
$function$;
grant execute on function pub.report_by_resident to atlas_web;
