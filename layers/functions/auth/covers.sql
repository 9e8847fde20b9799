create or replace function auth.covers(low text, high text) returns boolean
language sql stable parallel safe as $$
    select coalesce(
        (select $1 collate "C" >= s.low collate "C" and $2 collate "C" <= s.high collate "C" from auth.span() as s),
        false
    )
$$;
comment on function auth.covers is 'Whether a range of codes lies in what may be seen; false where nothing may.';
