-- Steps taken on the holder's own cases after a number, in the order of commits, and the result of cases that some of
-- them were merged into, at whatever remove, under the numbers of these. The words of a result or a refusal go along,
-- for they are what the source answers the resident with; others do not.
--
-- Read from the log on, in its order, and case by case: a source has millions of items, and few of them moved.
create or replace function pub.changes_by_key(after bigint, most integer)
returns table (
    change_no bigint, number text, at timestamptz, step text, state text, outcome text, department text,
    due_at timestamptz, answer text
)
language sql stable as $function$
    select s.change_no, own.number, s.at, s.step, s.state, case when s.state = 'closed' then own.outcome end,
        s.department, own.due_at,
        case when s.step in ('finish', 'refuse', 'dismiss', 'settle_on_spot') then s.reason
            when s.step = 'merge' then (
                select f.reason from ops.event as o
                join ops.event_step as f on f.town_code = o.town_code and f.event_id = o.id
                where o.id = s.duplicate_of and not o.is_sensitive and f.step = 'finish' and f.change_no < s.change_no
                order by f.change_no desc limit 1
            ) end
    from auth.holder() as h
    cross join lateral (
        select t.* from ops.event_step as t where t.change_no > $1 order by t.change_no offset 0
    ) as s
    cross join lateral (
        select e.source_key as number, e.outcome, e.due_at
        from ops.event as e
        where e.town_code = s.town_code and e.id = s.event_id and e.dataset = h.dataset
            and e.grid_code >= h.low and e.grid_code < h.high and e.gone_on is null
        union all
        select e.source_key, o.outcome, o.due_at
        from ops.event as o
        cross join lateral ops.folded_into(o.id) as f
        join ops.event as e on e.town_code = f.town_code and e.id = f.id
        where s.step in ('finish', 'close', 'merge') and o.town_code = s.town_code and o.id = s.event_id and not o.is_sensitive
            and e.dataset = h.dataset and e.grid_code >= h.low and e.grid_code < h.high and e.gone_on is null
            and exists (
                select from ops.event_step as m where m.town_code = e.town_code and m.event_id = e.id
                    and m.step = 'merge' and m.change_no < s.change_no)
    ) as own
    where not h.is_open and h.channel <> 'open311'
    order by s.change_no
    fetch first $2 rows with ties
$function$;
grant execute on function pub.changes_by_key to atlas_web;
