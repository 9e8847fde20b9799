-- Scopes follow a reform. Each account, each analyst's login and each key of another system sees what its grid became
-- where one new grid holds all of it. Where nobody can say, a scope stays as it is when its code stands for nothing but
-- ground it had before, or for nothing; else the account or key is disabled, the login's row goes. A row for each scope
-- somebody has to look at: `done` is
-- followed, wider (followed or kept, and the grid has other ground too), unsure, or closed.
-- Once for each edition, from the one before to the one in force, never to a grid above, and to the same ground only: who
-- may write successions moves or widens no scope by it.
create or replace function raw.follow_scopes(old_edition smallint, new_edition smallint, run_by text)
returns table (account text, scope text, now_scope text, done text)
language plpgsql as $function$
declare
    one record;
    told constant text := 'edition ' || $2;
begin
    if $2 is distinct from (select max(e.edition) from pub.edition as e)
        or $1 is distinct from (select max(e.edition) from pub.edition as e where e.edition < $2) then
        raise exception 'scopes follow from the edition before to the one in force' using errcode = 'MQ003';
    end if;
    perform pg_advisory_xact_lock(4490014);
    if exists (select from audit.entry as n where n.kind = 'scope' and n.role = 'loader' and n.subject = told) then
        raise exception 'scopes have followed to edition % before', $2 using errcode = 'MQ002';
    end if;
    for one in
        with held as (
            select a.account as name, a.scope as code, 'account' as kind from auth.account as a
            union all
            select n.login, n.low, 'login' from auth.analyst as n
            where n.high = left(n.low, -1) || chr(ascii(right(n.low, 1)) + 1) and n.low ~ '^[0-9]{4,15}$'
            union all
            select 'key ' || k.name, k.scope, 'key' from auth.key as k where not k.is_disabled
        ),
        led as (
            select h.*,
                (
                    select s.new_code from pub.succession as s
                    where s.old_edition = $1 and s.new_edition = $2 and s.old_code = h.code and s.share >= 0.999
                        and length(s.new_code) >= length(h.code) and exists (
                            select from pub.grid as o join pub.grid as g on g.edition = $2 and g.code = s.new_code
                            where o.edition = $1 and o.code = h.code and (o.geom = g.geom
                                or st_area(st_intersection(o.geom, g.geom)) >= 0.99 * st_area(o.geom))
                        )
                ) as sure,
                exists (select from pub.grid as g where g.edition = $2 and g.code = h.code) as is_there,
                exists (
                    select from pub.succession as s
                    where s.old_edition = $1 and s.new_edition = $2 and s.new_code = h.code and s.old_code <> h.code
                ) or exists (
                    select from pub.grid as g left join pub.grid as o on o.edition = $1 and o.code = g.code
                    where g.edition = $2 and g.code = h.code and o.geom is distinct from g.geom
                        and coalesce(st_area(st_intersection(o.geom, g.geom)), 0) < 0.99 * st_area(g.geom)
                ) as is_other
            from held as h
        )
        select l.*, case
            when l.sure is not null and exists (
                select from pub.succession as s
                where s.old_edition = $1 and s.new_edition = $2 and s.new_code = l.sure and s.old_code <> l.code
            ) then 'wider'
            when l.sure is not null and l.sure = l.code then 'same'
            when l.sure is not null then 'followed'
            when not l.is_there or not l.is_other then 'unsure'
            else 'closed'
        end as what
        from led as l order by l.kind, l.name
    loop
        continue when one.what = 'same';
        if one.sure is not null and one.sure <> one.code then
            update auth.account as a set scope = one.sure where one.kind = 'account' and a.account = one.name;
            update auth.analyst as n set low = one.sure, high = left(one.sure, -1) || chr(ascii(right(one.sure, 1)) + 1)
            where one.kind = 'login' and n.login = one.name;
            update auth.key as k set scope = one.sure where one.kind = 'key' and 'key ' || k.name = one.name;
            delete from auth.session as s where one.kind = 'account' and s.account = one.name;
        elsif one.what = 'closed' then
            update auth.account as a set is_disabled = true where one.kind = 'account' and a.account = one.name;
            delete from auth.analyst as n where one.kind = 'login' and n.login = one.name;
            update auth.key as k set is_disabled = true where one.kind = 'key' and 'key ' || k.name = one.name;
            delete from auth.session as s where one.kind = 'account' and s.account = one.name;
        end if;
        perform audit.write('scope', $3, 'loader', null, one.name, jsonb_build_object(
            'was', jsonb_build_object('scope', one.code),
            'now', jsonb_build_object('scope', coalesce(one.sure, case when one.what <> 'closed' then one.code end)),
            'by', 'reform', 'done', one.what
        ));
        return query select one.name, one.code, coalesce(one.sure, one.code), one.what;
    end loop;
    perform audit.write('scope', $3, 'loader', null, told, jsonb_build_object(
        'was', jsonb_build_object('edition', $1), 'now', jsonb_build_object('edition', $2), 'by', 'reform', 'done', 'all'
    ));
end
$function$;
grant execute on function raw.follow_scopes to atlas_loader;
