-- Make a case in the name of the key that the transaction carries. What came in stands in the log as a resident's, since
-- one is behind it; dataset and channel are the key's. The same number again is the same case.
create or replace function pub.report_by_key(
    number text, category text, grid_code text, edition smallint, tied_by text, lon double precision,
    lat double precision, is_urgent boolean, is_sensitive boolean, summary text, attrs jsonb, zone text, at timestamptz
)
returns table (town_code text, id bigint, version integer, state text, change_no bigint, is_new boolean)
language plpgsql as $function$
declare
    who record;
begin
    select h.* into who from auth.holder() as h;
    if who.name is null or who.is_open then
        raise exception 'nothing may be sent without a key' using errcode = 'MQ003';
    end if;
    return query select m.* from ops.make_case(who.low, who.high, who.dataset,
        case when who.channel = 'open311' then who.name || '/' else '' end || $1, 'key ' || who.name, 'resident', $2,
        $3, $4, $5, $6, $7, who.channel, $8, $9, $10, $11, $12, $13) as m;
end
$function$;
grant execute on function pub.report_by_key to atlas_web;
