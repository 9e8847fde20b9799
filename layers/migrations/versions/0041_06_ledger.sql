-- What came in and what became of it.

create sequence raw.delivery_id;
create sequence raw.quarantine_id;

create table raw.delivery (
    id bigint default nextval('raw.delivery_id') not null,
    dataset text collate "C" not null,
    file_name text not null,
    content_hash bytea not null,
    n_bytes bigint not null,
    edition smallint not null,
    loaded_at timestamptz not null,
    loaded_by text not null,
    declaration jsonb not null,
    n_read integer not null,
    n_inserted integer not null,
    n_updated integer not null,
    n_unchanged integer not null,
    n_quarantined integer not null,
    n_unplaced integer not null,
    report jsonb not null,
    declaration_hash bytea not null,
    grids_version integer not null,
    n_forgotten integer not null,
    constraint pk_delivery primary key (id),
    constraint uq_delivery_dataset_content_hash_declaration_hash unique (dataset, content_hash, declaration_hash),
    constraint ck_delivery_sums_agree check (n_read = n_inserted + n_updated + n_unchanged + n_quarantined + n_forgotten)
);
comment on table raw.delivery is 'One delivered file, loaded in one transaction. The same file of the same dataset is loaded once.';
comment on column raw.delivery.id is 'number of the delivery';
comment on column raw.delivery.dataset is 'declared dataset it was taken in as';
comment on column raw.delivery.file_name is 'name of the file, without its folder';
comment on column raw.delivery.content_hash is 'SHA-256 of the file';
comment on column raw.delivery.n_bytes is 'size of the file';
comment on column raw.delivery.edition is 'edition of the grids its rows were tied to';
comment on column raw.delivery.loaded_at is 'when it was loaded';
comment on column raw.delivery.loaded_by is 'who or what loaded it';
comment on column raw.delivery.declaration is 'the dataset''s declaration as it was used';
comment on column raw.delivery.n_read is 'rows in the file';
comment on column raw.delivery.n_inserted is 'rows that are new';
comment on column raw.delivery.n_updated is 'rows that replaced an older copy';
comment on column raw.delivery.n_unchanged is 'rows known already, or older than what is known';
comment on column raw.delivery.n_quarantined is 'rows refused, each in raw.quarantine';
comment on column raw.delivery.n_unplaced is 'of the rows loaded, those in no grid below the city';
comment on column raw.delivery.report is 'seconds by step, reasons counted, repairs, dropped columns';
comment on column raw.delivery.declaration_hash is 'SHA-256 of what the declaration says of loading: another one loads the file again';
comment on column raw.delivery.grids_version is 'version of the grids of that edition';
comment on column raw.delivery.n_forgotten is 'rows of people who were deleted by request, not taken in';

create table raw.quarantine (
    id bigint default nextval('raw.quarantine_id') not null,
    delivery_id bigint not null,
    dataset text collate "C" not null,
    line integer not null,
    source_key text collate "C",
    field text,
    value text,
    reason text not null,
    remedy text not null,
    row_sealed bytea not null,
    row_hash bigint,
    rest_hash bigint,
    version_at timestamptz,
    open_since timestamptz not null,
    resolved_at timestamptz,
    resolved_by bigint,
    resolution text,
    constraint pk_quarantine primary key (id),
    constraint fk_quarantine_delivery_id foreign key(delivery_id) references raw.delivery (id) on delete cascade,
    constraint ck_quarantine_resolution check (resolution in ('loaded', 'refused_again', 'outdated', 'withdrawn')),
    constraint ck_quarantine_resolved_whole check (num_nonnulls(resolved_at, resolved_by, resolution) in (0, 3))
);
create index ix_quarantine_delivery_id on raw.quarantine (delivery_id, line);
create index ix_quarantine_open on raw.quarantine (dataset, source_key) where resolved_at is null;
comment on table raw.quarantine is 'A delivered row that was not loaded, with the reason and the remedy. The row itself is sealed.';
comment on column raw.quarantine.id is 'number of the quarantined row';
comment on column raw.quarantine.delivery_id is 'delivery it came in';
comment on column raw.quarantine.dataset is 'dataset of that delivery';
comment on column raw.quarantine.line is 'line of the file, the heading being line 1';
comment on column raw.quarantine.source_key is 'key of the row, where it could be read and names nobody';
comment on column raw.quarantine.field is 'heading of the offending column';
comment on column raw.quarantine.value is 'offending value; masked where it names a person';
comment on column raw.quarantine.reason is 'key of the reason, see etl.reasons';
comment on column raw.quarantine.remedy is 'what the deliverer should do';
comment on column raw.quarantine.row_sealed is 'whole row as JSON, encrypted as identities are';
comment on column raw.quarantine.row_hash is 'keyed hash of the row as delivered: the same row refused again is one';
comment on column raw.quarantine.rest_hash is 'keyed hash of the row without the offending field: finds it again where it has no key';
comment on column raw.quarantine.version_at is 'when the source changed the row, where that could be read';
comment on column raw.quarantine.open_since is 'when the row was first refused';
comment on column raw.quarantine.resolved_at is 'when it left the quarantine; NULL: open';
comment on column raw.quarantine.resolved_by is 'raw.delivery by which it left';
comment on column raw.quarantine.resolution is 'loaded: came corrected; refused_again: a later refusal stands for it; outdated: a newer version is loaded; withdrawn: a full delivery no longer has it';

create table raw.source_registry (
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    town_code text collate "C" not null,
    id bigint not null,
    row_hash bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    constraint pk_source_registry primary key (source_key, dataset)
);
create index ix_source_registry_dataset on raw.source_registry using brin (dataset);
comment on table raw.source_registry is 'Where the row of a source key lies: finds the old row when something moves, and decides between late copies.';
comment on column raw.source_registry.dataset is 'declared dataset';
comment on column raw.source_registry.source_key is 'the deliverer''s own key of the row';
comment on column raw.source_registry.town_code is 'town the row lies in now';
comment on column raw.source_registry.id is 'id of the row';
comment on column raw.source_registry.row_hash is '64-bit hash of what was loaded: equal means unchanged';
comment on column raw.source_registry.updated_at is 'when the source last changed what was loaded';
comment on column raw.source_registry.gone_on is 'day since which a full delivery no longer has it';

create table raw.recount (
    id bigint not null default nextval('ops.row_id'),
    dataset text collate "C" not null,
    constraint pk_recount primary key (id)
);
comment on table raw.recount is 'A change of rows, not yet counted on older editions or, of people, not yet published; empty when all are.';
comment on column raw.recount.id is 'number of the change';
comment on column raw.recount.dataset is 'dataset whose rows changed';

create table raw.staging (
    delivery text not null,
    batch integer not null,
    content bytea not null,
    constraint pk_staging primary key (delivery, batch)
);
alter table raw.staging alter content set storage external; -- encrypted: nothing to be won by compressing it
comment on table raw.staging is 'Batches done by workers, sealed, until the loader takes them in; empty when nobody loads.';
comment on column raw.staging.delivery is 'one load of one file, named at random';
comment on column raw.staging.batch is 'number of the batch in its file, from 0';
comment on column raw.staging.content is 'what became of its rows, encrypted as identities are';
grant truncate on raw.staging to atlas_loader;
