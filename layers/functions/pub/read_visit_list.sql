-- Read a list to take along: by who made it, as long as it holds, and only who is still the session's to visit.
create or replace function pub.read_visit_list(low text, high text, token_hash bytea, day date)
returns table (
    made_at timestamptz, ends_at timestamptz, account text, care_group text, grid_code text, offered text, status text,
    due_on date, mask_sealed bytea
)
language sql stable as $function$
    select v.made_at, v.ends_at, v.account, r.care_group, r.grid_code, r.offered, r.status, r.due_on, r.mask_sealed
    from auth.actor() as a
    join vault.visit_list as v on v.token_hash = $3 and v.account = a.account and v.ends_at > now()
    join lateral pub.list_care($1, $2, null, $4, 1000000) as r on r.person_id = any(v.person_ids)
    where auth.covers($1, $2)
    order by array_position(v.person_ids, r.person_id)
$function$;
grant execute on function pub.read_visit_list to atlas_web;
