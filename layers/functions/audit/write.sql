-- Writers share a lock that the sealer takes alone, so that no entry with a lower number is committed after a seal.
create or replace function audit.write(kind text, account text, role text, scope text, subject text, detail jsonb) returns bigint
language sql as $$
    select pg_advisory_xact_lock_shared(4490007);
    insert into audit.entry (at, kind, account, role, scope, subject, detail)
    values (clock_timestamp(), $1, $2, $3, $4, $5, $6)
    returning id;
$$;
comment on function audit.write is 'Write one entry and return its number.';
grant execute on function audit.write to atlas_door;
