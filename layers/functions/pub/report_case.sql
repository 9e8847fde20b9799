-- Make a case in the name of the session. The same dataset and key again is the same case.
create or replace function pub.report_case(
    low text, high text, dataset text, request_key text, category text, grid_code text, edition smallint, tied_by text,
    lon double precision, lat double precision, channel text, is_urgent boolean, is_sensitive boolean, summary text,
    attrs jsonb, zone text, at timestamptz
)
returns table (town_code text, id bigint, version integer, state text, change_no bigint, is_new boolean)
language plpgsql as $function$
declare
    who record;
begin
    select a.* into who from auth.actor() as a;
    if not auth.covers($1, $2) then
        raise exception 'grid % is out of reach', $6 using errcode = 'MQ001';
    end if;
    return query select m.* from ops.make_case($1, $2, $3, $4, who.account, who.role, $5, $6, $7, $8, $9, $10, $11, $12,
        $13, $14, $15, $16, $17) as m;
end
$function$;
grant execute on function pub.report_case to atlas_web;
