-- Who walks or answers for grids, by duty list: never where anybody is. Name and phone of the post are for those who
-- direct the work; the others see that there is somebody, and for which grids.
create or replace function pub.roster(low text, high text, datasets text[], codes text[])
returns table (
    dataset text, source_key text, grid_code text, walks text[], kind text, name text, work_phone text
)
language plpgsql stable as $function$
declare
    may_see constant boolean := coalesce(
        (select a.role in ('dispatcher', 'case_officer', 'leader') from auth.actor() as a), false
    );
begin
    if not auth.covers(low, high) then
        return;
    end if;
    return query execute $query$
        select w.dataset, w.source_key, w.grid_code,
            array(select one from unnest(w.walks) as one where one = any ($4) order by one), w.attrs ->> 'kind',
            case when $5 then w.name end, case when $5 then w.work_phone end
        from ops.grid_worker as w
        where w.walks && $4 and w.dataset = any ($3) and w.grid_code >= $1 and w.grid_code < $2 and w.gone_on is null
        order by w.dataset, w.grid_code, w.source_key
    $query$ using low, high, datasets, codes, may_see;
end
$function$;
grant execute on function pub.roster to atlas_web, atlas_analyst;
