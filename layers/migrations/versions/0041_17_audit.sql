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
    constraint ck_entry_kind check (kind in ('sign_in', 'sign_in_refused', 'sign_out', 'account', 'scope', 'session', 'person_read', 'rows_view', 'person_change', 'export', 'quarantine_view', 'case_step', 'release'))
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
