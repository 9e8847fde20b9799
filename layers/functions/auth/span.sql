-- The codes that may be seen, from `low` up to `high`: by the session whose token this transaction carries, or by the
-- login of an analyst. No row where there is neither, or the session has ended, and none for who keeps accounts or reads
-- the audit: these see no data, whatever the program asks for them.
--
-- In plpgsql, which keeps its plan: in SQL it was planned anew for each function that asks, a quarter of a millisecond.
create or replace function auth.span() returns table (low text, high text)
language plpgsql stable parallel safe as $$
#variable_conflict use_column
begin
    return query
    select a.scope, left(a.scope, -1) || chr(ascii(right(a.scope, 1)) + 1)
    from auth.session as s
    join auth.account as a on a.account = s.account
    where session_user = 'atlas_web'
        and s.token_hash = sha256(convert_to(current_setting('atlas.session', true), 'UTF8'))
        and s.ends_at > now() and s.seen_at + make_interval(secs => s.idle_s) > now() and not a.is_disabled
        and a.role not in ('security_admin', 'auditor')
    union all
    select n.low, n.high from auth.analyst as n where n.login = session_user;
end $$;
comment on function auth.span is 'The range of codes that may be seen: of the session whose token the transaction carries, or of an analyst''s login.';
