-- What was done, by whom: written through functions only, never changed, sealed minute by minute.

create sequence audit.entry_id;
create table audit.entry (
    id bigint default nextval('audit.entry_id') not null,
    at timestamptz not null,
    kind text not null,
    account text collate "C",
    role text,
    scope text collate "C",
    subject text,
    detail jsonb not null,
    constraint pk_entry primary key (id),
    constraint ck_entry_kind check (kind in ('sign_in', 'sign_in_refused', 'sign_out', 'account', 'scope', 'session', 'person_read', 'export', 'quarantine_view', 'case_step', 'release'))
);
create index ix_entry_at on audit.entry (at);
create index ix_entry_account on audit.entry (account, at);
create table audit.seal (
    seal_no integer not null,
    at timestamptz not null,
    last_id bigint not null,
    n integer not null,
    head bytea not null,
    constraint pk_seal primary key (seal_no)
);
comment on table audit.entry is 'One thing that was done. Entries are written and never changed.';
comment on column audit.entry.id is 'number of the entry';
comment on column audit.entry.at is 'when it was done';
comment on column audit.entry.kind is 'what was done';
comment on column audit.entry.account is 'who did it';
comment on column audit.entry.role is 'with which role';
comment on column audit.entry.scope is 'inside which scope';
comment on column audit.entry.subject is 'to what: an account, a case, a delivery';
comment on column audit.entry.detail is 'the rest; never a name or number of a resident';
comment on table audit.seal is 'A minute of entries under the head of a chain of digests; the head is also kept outside the database.';
comment on column audit.seal.seal_no is 'number of the seal, from 1';
comment on column audit.seal.at is 'when it was made';
comment on column audit.seal.last_id is 'last entry under it';
comment on column audit.seal.n is 'entries under it, those of former seals left out';
comment on column audit.seal.head is 'SHA-256 of the former head and these entries';

grant usage on schema audit to atlas_door;
grant select on audit.entry, audit.seal to atlas_door;
grant insert on audit.seal to atlas_door;

-- Writers share a lock that the sealer takes alone, so that no entry with a lower number is committed after a seal.
create function audit.write(kind text, account text, role text, scope text, subject text, detail jsonb) returns bigint
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    select pg_advisory_xact_lock_shared(4490007);
    insert into audit.entry (at, kind, account, role, scope, subject, detail)
    values (clock_timestamp(), $1, $2, $3, $4, $5, $6)
    returning id;
$$;
comment on function audit.write is 'Write one entry and return its number.';

-- For the web: who it was stands in the session, and cannot be said otherwise. Nothing without a session.
create function pub.note(kind text, subject text, detail jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    who auth.account;
begin
    if kind not in ('person_read', 'export', 'quarantine_view', 'case_step', 'release') then
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

-- For the loader: it knows no session, so it says who runs it. What it does is kept apart by the role.
create function raw.note(kind text, run_by text, subject text, detail jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if kind not in ('export', 'quarantine_view', 'release') then
        raise exception 'entries of the kind % are not written from here', kind using errcode = 'insufficient_privilege';
    end if;
    return audit.write(kind, run_by, 'loader', null, subject, detail);
end $$;
comment on function raw.note is 'Write an entry about what the loader did, and who ran it.';

revoke all on function audit.write, pub.note, raw.note from public;
grant execute on function audit.write to atlas_door;
grant execute on function raw.note to atlas_loader;
grant execute on function pub.note to atlas_web;
