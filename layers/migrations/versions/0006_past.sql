-- What was known when: older versions of rows, rows that left, refused rows that were mended.

alter table raw.delivery add declaration_hash bytea default '\x'::bytea not null, add grids_version integer default 0 not null;
alter table raw.delivery alter declaration_hash drop default, alter grids_version drop default;
alter table raw.delivery drop constraint uq_delivery_dataset_content_hash;
alter table raw.delivery
    add constraint uq_delivery_dataset_content_hash_declaration_hash unique (dataset, content_hash, declaration_hash);
comment on column raw.delivery.declaration_hash is 'SHA-256 of what the declaration says of loading: another one loads the file again';
comment on column raw.delivery.grids_version is 'version of the grids of that edition';

alter table raw.quarantine
    add row_hash bigint,
    add rest_hash bigint,
    add version_at timestamptz,
    add open_since timestamptz default now() not null,
    add resolved_at timestamptz,
    add resolved_by bigint,
    add resolution text;
alter table raw.quarantine alter open_since drop default;
alter table raw.quarantine
    add constraint ck_quarantine_resolution check (resolution in ('loaded', 'refused_again', 'outdated', 'withdrawn')),
    add constraint ck_quarantine_resolved_whole
        check (num_nonnulls(resolved_at, resolved_by, resolution) in (0, 3));
create index ix_quarantine_open on raw.quarantine (dataset, source_key) where resolved_at is null;
comment on column raw.quarantine.row_hash is 'keyed hash of the row as delivered: the same row refused again is one';
comment on column raw.quarantine.rest_hash is 'keyed hash of the row without the offending field: finds it again where it has no key';
comment on column raw.quarantine.version_at is 'when the source changed the row, where that could be read';
comment on column raw.quarantine.open_since is 'when the row was first refused';
comment on column raw.quarantine.resolved_at is 'when it left the quarantine; NULL: open';
comment on column raw.quarantine.resolved_by is 'raw.delivery by which it left';
comment on column raw.quarantine.resolution is 'loaded: came corrected; refused_again: a later refusal stands for it; outdated: a newer version is loaded; withdrawn: a full delivery no longer has it';

alter table raw.source_registry add gone_on date;
comment on column raw.source_registry.gone_on is 'day since which a full delivery no longer has it';

create table ops.past (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    of_id bigint not null,
    delivery_id bigint not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    content jsonb not null,
    constraint pk_past primary key (id, town_code),
    constraint ck_past_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9))
);
create index ix_past_dataset on ops.past (dataset, source_key);
comment on table ops.past is 'A version of a row that a later delivery replaced: what was known of it from one moment to another.';
create table vault.past (like ops.past including defaults including constraints including indexes);
alter table vault.past add identity jsonb;
comment on column vault.past.identity is 'names, numbers and phones of that version, encrypted as they were';
alter table vault.past rename constraint past_pkey to pk_past;
alter index vault.past_dataset_source_key_idx rename to ix_past_dataset;
comment on table vault.past is 'As `ops.past` for people; identities stand in it encrypted as they were.';

do $$
declare
    one text;
begin
    foreach one in array array['ops.past', 'vault.past'] loop
        execute format('comment on column %s.town_code is %L', one, '9 digits: the town the row lies in');
        execute format('comment on column %s.id is %L', one, 'from ops.row_id, so that it names one row of all tables');
        execute format('comment on column %s.grid_code is %L', one, 'finest grid known; the city''s code when unplaced');
        execute format('comment on column %s.edition is %L', one, 'edition of the grids that grid_code belongs to');
        execute format('comment on column %s.dataset is %L', one, 'dataset it was delivered in');
        execute format('comment on column %s.source_key is %L', one, 'key of the row in that dataset');
        execute format('comment on column %s.of_id is %L', one, 'id of the row whose version this was');
        execute format('comment on column %s.delivery_id is %L', one, 'raw.delivery that wrote this version');
        execute format('comment on column %s.valid_from is %L', one, 'when it was loaded');
        execute format('comment on column %s.valid_to is %L', one, 'when it was replaced');
        execute format('comment on column %s.content is %L', one, 'the whole row as it was, gone_on included');
    end loop;
end $$;
