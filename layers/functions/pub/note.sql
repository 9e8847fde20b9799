-- For the web: who it was stands in the session, and cannot be said otherwise. Nothing without a session.
create or replace function pub.note(kind text, subject text, detail jsonb) returns bigint
language plpgsql as $$
declare
    who auth.account;
begin
    if kind not in ('person_read', 'rows_view', 'export', 'quarantine_view', 'case_step', 'release') then
        raise exception 'entries of the kind % are not written from here', kind using errcode = 'insufficient_privilege';
    end if;
    select a.* into who
    from auth.session as s join auth.account as a on a.account = s.account
    where s.token_hash = sha256(convert_to(current_setting('atlas.session', true), 'UTF8')) and auth.low() is not null;
    if who.account is null then
        raise exception 'there is no session' using errcode = 'insufficient_privilege';
    end if;
    return audit.write(kind, who.account, who.role, who.scope, subject, detail);
end $$;
comment on function pub.note is 'Write an entry in the name of the session whose token the transaction carries.';
grant execute on function pub.note to atlas_web;
