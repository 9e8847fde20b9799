-- Add the signed change that one event makes to the counts, as the loader does for many. Counts on the grids of older
-- editions wait for `etl recount`.
create or replace function ops.count_case(one ops.event, zone text, change integer)
returns void
language plpgsql as $function$
declare
    delta bigint := nextval('ops.row_id');
    day integer := to_char(one.reported_at at time zone zone, 'YYYYMMDD')::integer;
    dataset_no smallint := (select d.dataset_no from pub.dataset as d where d.dataset = one.dataset);
    category_no smallint := (select c.category_no from pub.category as c where c.category = one.category);
    state_no smallint := array_position(
        array['reported', 'accepted', 'refused', 'dispatched', 'handling', 'suspended', 'handled', 'checked', 'closed'],
        one.state
    );
    grid_no integer[] := array(
        select g.grid_no from unnest(array[15, 12, 9]) with ordinality as grain (digits, n)
        join pub.grid as g on g.edition = one.edition and g.code = left(one.grid_code, grain.digits)
        order by grain.n
    );
begin
    if change > 0 and exists (select from pub.edition where closed_on is not null) then
        insert into raw.recount (dataset) values (one.dataset);
    end if;
    if dataset_no is null or category_no is null or cardinality(grid_no) < 3 then
        raise exception 'dataset %, category % or grid % has no number', one.dataset, one.category, one.grid_code
            using errcode = 'MQ004';
    end if;
    if one.is_sensitive then
        insert into vault.tally_small_month values
            (one.town_code, grid_no[1], day / 100, dataset_no, category_no, state_no, delta, change);
        insert into vault.tally_medium_day values
            (one.town_code, grid_no[2], day, dataset_no, category_no, state_no, delta, change);
        insert into vault.tally_large_month values
            (one.town_code, grid_no[3], day / 100, dataset_no, category_no, state_no, delta, change);
    else
        insert into pub.tally_small_month values
            (one.town_code, grid_no[1], day / 100, dataset_no, category_no, state_no, delta, change);
        insert into pub.tally_medium_day values
            (one.town_code, grid_no[2], day, dataset_no, category_no, state_no, delta, change);
        insert into pub.tally_large_month values
            (one.town_code, grid_no[3], day / 100, dataset_no, category_no, state_no, delta, change);
    end if;
end
$function$;
