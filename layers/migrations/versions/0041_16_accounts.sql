-- Accounts, sessions, and keys of other systems. Only the login `atlas_door` reads them; everybody else meets them through auth.span().

create table auth.account (
    account text collate "C" not null,
    name text not null,
    role text not null,
    scope text collate "C" not null,
    department text collate "C",
    argon2_hash text,
    totp_sealed bytea,
    totp_step bigint,
    subject text,
    is_disabled boolean not null,
    is_demo boolean not null,
    n_failed smallint not null,
    locked_until timestamptz,
    created_at timestamptz not null,
    constraint pk_account primary key (account),
    constraint uq_account_subject unique (subject),
    constraint ck_account_account check (account ~ '^[a-z0-9][a-z0-9._-]{1,63}$'),
    constraint ck_account_role check (role in ('leader', 'analyst', 'dispatcher', 'department_handler', 'grid_worker', 'case_officer', 'data_steward', 'security_admin', 'auditor', 'wall')),
    constraint ck_account_scope check (scope ~ '^[0-9]+$' and length(scope) in (4, 6, 9, 12, 15))
);
create table auth.session (
    token_hash bytea not null,
    account text collate "C" not null,
    kind text not null,
    label text not null,
    began_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null,
    idle_s integer not null,
    constraint pk_session primary key (token_hash),
    constraint fk_session_account foreign key(account) references auth.account (account) on delete cascade,
    constraint ck_session_kind check (kind in ('person', 'screen'))
);
create index ix_session_account on auth.session (account);
create table auth.pairing (
    code_hash bytea not null,
    secret_hash bytea not null,
    account text collate "C",
    label text,
    ends_at timestamptz not null,
    constraint pk_pairing primary key (code_hash),
    constraint fk_pairing_account foreign key(account) references auth.account (account) on delete cascade
);
create table auth.analyst (
    login text collate "C" not null,
    low text collate "C" not null,
    high text collate "C" not null,
    is_demo boolean not null,
    constraint pk_analyst primary key (login),
    constraint ck_analyst_range check (low ~ '^[0-9]+$' and high > low)
);
comment on table auth.account is 'Who may sign in: one role, inside one scope.';
comment on column auth.account.account is 'what is typed to sign in';
comment on column auth.account.name is 'who or what it is, as others see it';
comment on column auth.account.role is 'what it is for';
comment on column auth.account.scope is 'grid it may see, and everything below';
comment on column auth.account.department is 'declared department; NULL: none';
comment on column auth.account.argon2_hash is 'digest of what is typed; NULL: signs in otherwise';
comment on column auth.account.totp_sealed is 'second factor, encrypted; NULL: none';
comment on column auth.account.totp_step is 'last step of time used, so that none is used twice';
comment on column auth.account.subject is 'issuer and subject at the identity provider';
comment on column auth.account.is_disabled is 'may not sign in';
comment on column auth.account.is_demo is 'of the demonstration: signs in by one click, on loopback only';
comment on column auth.account.n_failed is 'failed attempts in a row';
comment on column auth.account.locked_until is 'no attempt counts before';
comment on column auth.account.created_at is 'when it was made';
comment on table auth.session is 'A browser that is signed in; only the digest of its token is kept.';
comment on column auth.session.token_hash is 'SHA-256 of the token';
comment on column auth.session.account is 'who is signed in';
comment on column auth.session.kind is 'person, or the screen of a wall';
comment on column auth.session.label is 'address it began from, or name of the screen';
comment on column auth.session.began_at is 'when it began';
comment on column auth.session.seen_at is 'last request, to the minute';
comment on column auth.session.ends_at is 'when it ends at the latest';
comment on column auth.session.idle_s is 'seconds without a request after which it has ended';
comment on table auth.pairing is 'A screen that waits to be let in: the code it shows, until the security admin types it.';
comment on column auth.pairing.code_hash is 'SHA-256 of the code shown';
comment on column auth.pairing.secret_hash is 'SHA-256 of the secret in the screen''s cookie';
comment on column auth.pairing.account is 'account it was let in as; NULL: not yet';
comment on column auth.pairing.label is 'name of the screen';
comment on column auth.pairing.ends_at is 'when the code is worth nothing any more';
comment on table auth.analyst is 'An analyst''s own login in the database, and the codes it may see.';
comment on column auth.analyst.login is 'name of the login';
comment on column auth.analyst.low is 'first code it may see';
comment on column auth.analyst.high is 'first code past the end';
comment on column auth.analyst.is_demo is 'of the demonstration: goes when the map is served in earnest';

grant usage on schema auth to atlas_door;
grant select, insert, update, delete on auth.account, auth.session, auth.pairing, auth.analyst to atlas_door;

create table auth.key (
    name text collate "C" not null,
    key_hash bytea not null,
    channel text collate "C" not null,
    dataset text collate "C" not null,
    scope text collate "C" not null,
    is_open boolean not null,
    is_disabled boolean not null,
    made_at timestamptz not null,
    constraint pk_key primary key (name),
    constraint uq_key_key_hash unique (key_hash),
    constraint ck_key_name check (name ~ '^[a-z0-9][a-z0-9._-]{1,63}$'),
    constraint ck_key_scope check (scope ~ '^[0-9]+$' and length(scope) in (4, 6, 9, 12, 15))
);
create unique index ix_key_open on auth.key (is_open) where is_open and not is_disabled;
comment on table auth.key is 'A key by which another system sends reports and reads what became of them.';
comment on column auth.key.name is 'whose key it is; stands in the log of what comes by it';
comment on column auth.key.key_hash is 'SHA-256 of the key; the key itself is kept nowhere';
comment on column auth.key.channel is 'how what comes by it came in';
comment on column auth.key.dataset is 'dataset of events that its reports belong to';
comment on column auth.key.scope is 'grid it may report in and read, and everything below';
comment on column auth.key.is_open is 'whoever comes without a key reads as its holder, and sends nothing; one at the most';
comment on column auth.key.is_disabled is 'opens nothing';
comment on column auth.key.made_at is 'when it was made';
grant select, insert, update on auth.key to atlas_door;
