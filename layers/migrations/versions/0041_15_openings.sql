-- Opening what names a person: asked for and logged in one transaction, read in a later one.

create table vault.opening (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    row_id bigint not null,
    event_id bigint,
    field text not null,
    purpose text not null,
    account text collate "C" not null,
    asked_at timestamptz not null,
    txid bigint not null,
    used_at timestamptz,
    constraint pk_opening primary key (town_code, id),
    constraint ck_opening_field check (field in ('name', 'number', 'phone')),
    constraint ck_opening_purpose check (purpose in ('visit', 'contact', 'emergency', 'correction'))
);
create index ix_opening_id on vault.opening (id);
create index ix_opening_account on vault.opening (account, asked_at);
comment on table vault.opening is 'One field of one person that an account asked to see: read once, within a minute, by who asked.';
comment on column vault.opening.town_code is '9 digits: the town the row lies in';
comment on column vault.opening.id is 'from ops.row_id, so that it names one row of all tables';
comment on column vault.opening.row_id is 'row whose identity it is';
comment on column vault.opening.event_id is 'case it is opened for; NULL: the care record itself';
comment on column vault.opening.field is 'name, number or phone';
comment on column vault.opening.purpose is 'what for: visit, contact, emergency or correction';
comment on column vault.opening.account is 'who asked';
comment on column vault.opening.asked_at is 'when it was asked for and logged';
comment on column vault.opening.txid is 'transaction that logged it, which has to be committed before the read';
comment on column vault.opening.used_at is 'when it was read; NULL: not yet';
revoke all on vault.opening from atlas_loader;
grant select, delete on vault.opening to atlas_loader;

create table vault.visit_list (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    token_hash bytea not null,
    account text collate "C" not null,
    made_at timestamptz not null,
    ends_at timestamptz not null,
    person_ids bigint[] not null,
    constraint pk_visit_list primary key (town_code, id)
);
create index ix_visit_list_token_hash on vault.visit_list (token_hash);
comment on table vault.visit_list is 'A list a worker takes along: masked, marked with who and when, for one day.';
comment on column vault.visit_list.town_code is '9 digits: the town the row lies in';
comment on column vault.visit_list.id is 'from ops.row_id, so that it names one row of all tables';
comment on column vault.visit_list.token_hash is 'SHA-256 of the token in its address';
comment on column vault.visit_list.account is 'whose list it is';
comment on column vault.visit_list.made_at is 'when it was made';
comment on column vault.visit_list.ends_at is 'when it is worth nothing any more';
comment on column vault.visit_list.person_ids is 'care records on it';
revoke all on vault.visit_list from atlas_loader;
grant select, delete on vault.visit_list to atlas_loader;
