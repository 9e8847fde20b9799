-- Keys of other systems: what each may send and how far it reads. Only the digest of a key is kept.

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
