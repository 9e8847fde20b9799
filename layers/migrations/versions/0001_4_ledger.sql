-- What came in and what became of it.

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
    constraint pk_delivery primary key (id),
    constraint uq_delivery_dataset_content_hash unique (dataset, content_hash),
    constraint ck_delivery_sums_agree check (n_read = n_inserted + n_updated + n_unchanged + n_quarantined)
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
    constraint pk_quarantine primary key (id),
    constraint fk_quarantine_delivery_id foreign key(delivery_id) references raw.delivery (id) on delete cascade
);
create index ix_quarantine_delivery_id on raw.quarantine (delivery_id, line);
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

create table raw.source_registry (
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    town_code text collate "C" not null,
    id bigint not null,
    row_hash bigint not null,
    updated_at timestamptz not null,
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
