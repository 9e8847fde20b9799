-- Who acts: the account of the session whose token the transaction carries. No row where there is no session, so that
-- nobody can say to be somebody else.
create or replace function auth.actor()
returns table (account text, role text, department text, scope text)
language sql stable as $function$
    select a.account, a.role, a.department, a.scope
    from auth.session as s join auth.account as a on a.account = s.account
    where s.token_hash = sha256(convert_to(current_setting('atlas.session', true), 'UTF8')) and auth.low() is not null
$function$;
