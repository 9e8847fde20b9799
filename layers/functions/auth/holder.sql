-- Who holds the key that the transaction carries; without a key, the open one. No row where there is none.
create or replace function auth.holder()
returns table (name text, channel text, dataset text, low text, high text, is_open boolean)
language sql stable as $function$
    select k.name, k.channel, k.dataset, k.scope,
        left(k.scope, -1) || chr(ascii(right(k.scope, 1)) + 1), k.is_open
    from auth.key as k
    where not k.is_disabled and case when coalesce(current_setting('atlas.key', true), '') = '' then k.is_open
        else not k.is_open and k.key_hash = sha256(convert_to(current_setting('atlas.key', true), 'UTF8')) end
$function$;
