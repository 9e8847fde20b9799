-- People, places, things, organisations, and what is measured of them.

create table vault.person (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    subject bytea not null,
    has_number boolean not null,
    sex text,
    born_on date,
    residence text,
    household text collate "C",
    delivered_code text collate "C",
    tied_by text not null,
    is_sensitive boolean not null,
    attrs jsonb not null,
    geom geometry(geometry, 4490),
    constraint pk_person primary key (id, town_code),
    constraint ck_person_sex check (sex in ('male', 'female')),
    constraint ck_person_residence check (residence in ('registered', 'floating', 'from_abroad', 'left_behind')),
    constraint ck_person_key_is_no_number check (source_key !~ '(^|[^0-9A-Za-z])[0-9]{17}[0-9Xx]($|[^0-9A-Za-z])'),
    constraint ck_person_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_person_tied_by check (tied_by in ('point', 'code', 'address', 'none'))
);
create index ix_person_geom on vault.person using gist (geom);
create index ix_person_grid_code on vault.person (grid_code);
create index ix_person_care on vault.person (dataset, grid_code) where is_sensitive;
create index ix_person_subject on vault.person (subject);
comment on table vault.person is 'A person as one dataset knows them; `subject` ties the same person across datasets without naming them.';
comment on column vault.person.town_code is '9 digits: the town the row lies in';
comment on column vault.person.id is 'from ops.row_id, so that it names one row of all tables';
comment on column vault.person.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column vault.person.edition is 'edition of the grids that grid_code belongs to';
comment on column vault.person.dataset is 'dataset it was delivered in';
comment on column vault.person.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column vault.person.delivery_id is 'raw.delivery that wrote this version';
comment on column vault.person.updated_at is 'when the source last changed it; decides between late copies';
comment on column vault.person.gone_on is 'day since which a full delivery no longer has it';
comment on column vault.person.subject is 'HMAC of the ID number, or of (dataset, source key)';
comment on column vault.person.has_number is 'false: no valid ID number, a subject of its own, counted apart';
comment on column vault.person.sex is 'male or female; NULL: not known';
comment on column vault.person.born_on is 'day of birth; NULL: not known';
comment on column vault.person.residence is 'registered, floating, from_abroad or left_behind';
comment on column vault.person.household is 'source key of the household it lives in';
comment on column vault.person.delivered_code is 'grid code as the source gave it, never overwritten';
comment on column vault.person.tied_by is 'point, code, address or none: how grid_code was found';
comment on column vault.person.is_sensitive is 'from its dataset or category: never shown as a single point';
comment on column vault.person.attrs is 'declared columns that are not of the core';
comment on column vault.person.geom is 'where it is, EPSG:4490, (lon, lat); NULL when only the grid is known';

create table vault.identity (
    town_code text collate "C" not null,
    id bigint not null,
    dataset text collate "C" not null,
    key_id text not null,
    name_sealed bytea,
    number_sealed bytea,
    phone_sealed bytea,
    name_token bytea,
    phone_token bytea,
    mask_sealed bytea,
    constraint pk_identity primary key (town_code, id)
);
create index ix_identity_name_token on vault.identity (name_token);
create index ix_identity_phone_token on vault.identity (phone_token);
comment on table vault.identity is 'Name, ID number and phone behind a row of any table, by that row''s id; encrypted, key outside the database.';
comment on column vault.identity.town_code is '9 digits: town of that row';
comment on column vault.identity.id is 'id of the row whose name this is';
comment on column vault.identity.dataset is 'dataset of that row';
comment on column vault.identity.key_id is 'which key encrypted it';
comment on column vault.identity.name_sealed is 'full name, encrypted';
comment on column vault.identity.number_sealed is 'ID number, encrypted';
comment on column vault.identity.phone_sealed is 'phone, encrypted';
comment on column vault.identity.name_token is 'HMAC of the normalised name: exact search';
comment on column vault.identity.phone_token is 'HMAC of the phone: exact search';
comment on column vault.identity.mask_sealed is 'name, ID number and phone with stars, as a list may show them, encrypted';

create table ops.place (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    category text collate "C",
    name text,
    state text,
    delivered_code text collate "C",
    tied_by text not null,
    is_sensitive boolean not null,
    attrs jsonb not null,
    geom geometry(geometry, 4490),
    constraint pk_place primary key (id, town_code),
    constraint ck_place_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_place_tied_by check (tied_by in ('point', 'code', 'address', 'none'))
);
create index ix_place_dataset on ops.place (dataset, grid_code);
create index ix_place_geom on ops.place using gist (geom);
create index ix_place_grid_code on ops.place (grid_code);
comment on table ops.place is 'A place: school, clinic, shelter, hazard point, market, dwelling.';
comment on column ops.place.town_code is '9 digits: the town the row lies in';
comment on column ops.place.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.place.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.place.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.place.dataset is 'dataset it was delivered in';
comment on column ops.place.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column ops.place.delivery_id is 'raw.delivery that wrote this version';
comment on column ops.place.updated_at is 'when the source last changed it; decides between late copies';
comment on column ops.place.gone_on is 'day since which a full delivery no longer has it';
comment on column ops.place.category is 'declared category';
comment on column ops.place.name is 'what it is called';
comment on column ops.place.state is 'its present state, as declared';
comment on column ops.place.delivered_code is 'grid code as the source gave it, never overwritten';
comment on column ops.place.tied_by is 'point, code, address or none: how grid_code was found';
comment on column ops.place.is_sensitive is 'from its dataset or category: never shown as a single point';
comment on column ops.place.attrs is 'declared columns that are not of the core';
comment on column ops.place.geom is 'where it is, EPSG:4490, (lon, lat); NULL when only the grid is known';

create table ops.thing (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    category text collate "C",
    name text,
    state text,
    delivered_code text collate "C",
    tied_by text not null,
    is_sensitive boolean not null,
    attrs jsonb not null,
    geom geometry(geometry, 4490),
    constraint pk_thing primary key (id, town_code),
    constraint ck_thing_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_thing_tied_by check (tied_by in ('point', 'code', 'address', 'none'))
);
create index ix_thing_dataset on ops.thing (dataset, grid_code);
create index ix_thing_geom on ops.thing using gist (geom);
create index ix_thing_grid_code on ops.thing (grid_code);
comment on table ops.thing is 'A thing: street lamp, manhole, hydrant, monitoring station.';
comment on column ops.thing.town_code is '9 digits: the town the row lies in';
comment on column ops.thing.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.thing.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.thing.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.thing.dataset is 'dataset it was delivered in';
comment on column ops.thing.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column ops.thing.delivery_id is 'raw.delivery that wrote this version';
comment on column ops.thing.updated_at is 'when the source last changed it; decides between late copies';
comment on column ops.thing.gone_on is 'day since which a full delivery no longer has it';
comment on column ops.thing.category is 'declared category';
comment on column ops.thing.name is 'what it is called';
comment on column ops.thing.state is 'its present state, as declared';
comment on column ops.thing.delivered_code is 'grid code as the source gave it, never overwritten';
comment on column ops.thing.tied_by is 'point, code, address or none: how grid_code was found';
comment on column ops.thing.is_sensitive is 'from its dataset or category: never shown as a single point';
comment on column ops.thing.attrs is 'declared columns that are not of the core';
comment on column ops.thing.geom is 'where it is, EPSG:4490, (lon, lat); NULL when only the grid is known';

create table ops.organisation (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    category text collate "C",
    name text,
    state text,
    credit_code text collate "C",
    delivered_code text collate "C",
    tied_by text not null,
    is_sensitive boolean not null,
    attrs jsonb not null,
    geom geometry(geometry, 4490),
    constraint pk_organisation primary key (id, town_code),
    constraint ck_organisation_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_organisation_tied_by check (tied_by in ('point', 'code', 'address', 'none'))
);
create index ix_organisation_dataset on ops.organisation (dataset, grid_code);
create index ix_organisation_geom on ops.organisation using gist (geom);
create index ix_organisation_grid_code on ops.organisation (grid_code);
comment on table ops.organisation is 'An organisation: company, association, committee; a household is one of that kind.';
comment on column ops.organisation.town_code is '9 digits: the town the row lies in';
comment on column ops.organisation.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.organisation.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.organisation.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.organisation.dataset is 'dataset it was delivered in';
comment on column ops.organisation.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column ops.organisation.delivery_id is 'raw.delivery that wrote this version';
comment on column ops.organisation.updated_at is 'when the source last changed it; decides between late copies';
comment on column ops.organisation.gone_on is 'day since which a full delivery no longer has it';
comment on column ops.organisation.category is 'declared category';
comment on column ops.organisation.name is 'never a resident''s name: a household has none';
comment on column ops.organisation.state is 'its present state, as declared';
comment on column ops.organisation.credit_code is 'unified social credit code (GB 32100)';
comment on column ops.organisation.delivered_code is 'grid code as the source gave it, never overwritten';
comment on column ops.organisation.tied_by is 'point, code, address or none: how grid_code was found';
comment on column ops.organisation.is_sensitive is 'from its dataset or category: never shown as a single point';
comment on column ops.organisation.attrs is 'declared columns that are not of the core';
comment on column ops.organisation.geom is 'where it is, EPSG:4490, (lon, lat); NULL when only the grid is known';

create table ops.measure (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    measure text not null,
    measured_on date not null,
    value double precision not null,
    constraint pk_measure primary key (town_code, id),
    constraint ck_measure_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint uq_measure_dataset_source_key_town_code unique (dataset, source_key, town_code)
);
create index ix_measure_grid_code on ops.measure (grid_code, measured_on);
comment on table ops.measure is 'A department''s own figure for a grid and a period: subsidies, village accounts.';
comment on column ops.measure.town_code is '9 digits: the town the row lies in';
comment on column ops.measure.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.measure.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.measure.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.measure.dataset is 'dataset it was delivered in';
comment on column ops.measure.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column ops.measure.delivery_id is 'raw.delivery that wrote this version';
comment on column ops.measure.updated_at is 'when the source last changed it; decides between late copies';
comment on column ops.measure.gone_on is 'day since which a full delivery no longer has it';
comment on column ops.measure.measure is 'what is measured, as declared';
comment on column ops.measure.measured_on is 'first day of the period';
comment on column ops.measure.value is 'the figure, in the unit declared';

create table ops.reading (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    dataset text collate "C" not null,
    thing_key text collate "C" not null,
    measure text not null,
    read_at timestamptz not null,
    value double precision not null,
    delivery_id bigint not null,
    constraint pk_reading primary key (town_code, id),
    constraint uq_reading_town_code_dataset_thing_key_measure_read_at unique (town_code, dataset, thing_key, measure, read_at)
);
comment on table ops.reading is 'What a thing showed at a moment: a water level, a fill level.';
comment on column ops.reading.town_code is '9 digits: the town the row lies in';
comment on column ops.reading.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.reading.dataset is 'dataset of the thing';
comment on column ops.reading.thing_key is 'source key of the thing';
comment on column ops.reading.measure is 'what is read, as declared';
comment on column ops.reading.read_at is 'when it was read';
comment on column ops.reading.value is 'the figure, in the unit declared';
comment on column ops.reading.delivery_id is 'raw.delivery that brought it';

create table ops.link (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    from_id bigint not null,
    kind text not null,
    to_id bigint not null,
    to_town_code text collate "C" not null,
    delivery_id bigint,
    constraint pk_link primary key (town_code, id),
    constraint ck_link_kind check (kind in ('lives_in', 'belongs_to', 'happened_at', 'concerns')),
    constraint uq_link_town_code_from_id_kind_to_id unique (town_code, from_id, kind, to_id)
);
create index ix_link_to_id on ops.link (to_id);
comment on table ops.link is 'Two rows that belong together: lives in, belongs to, happened at, concerns. Lies in the town of the first.';
comment on column ops.link.town_code is '9 digits: the town the row lies in';
comment on column ops.link.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.link.from_id is 'id of the first row';
comment on column ops.link.kind is 'lives_in, belongs_to, happened_at or concerns';
comment on column ops.link.to_id is 'id of the second row';
comment on column ops.link.to_town_code is 'town the second row lies in';
comment on column ops.link.delivery_id is 'raw.delivery that brought it; NULL: made here';

create table ops.visit (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    visited_at timestamptz not null,
    worker_key text collate "C",
    concerns_id bigint,
    found text,
    delivery_id bigint,
    updated_at timestamptz not null,
    constraint pk_visit primary key (town_code, id),
    constraint ck_visit_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint uq_visit_dataset_source_key_town_code unique (dataset, source_key, town_code)
);
create index ix_visit_grid_code on ops.visit (grid_code, visited_at);
comment on table ops.visit is 'A grid worker''s visit or patrol, and what was found.';
comment on column ops.visit.town_code is '9 digits: the town the row lies in';
comment on column ops.visit.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.visit.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.visit.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.visit.dataset is 'dataset it was delivered in, or `visit` when made here';
comment on column ops.visit.source_key is 'the deliverer''s own key of the visit, unique in the dataset';
comment on column ops.visit.visited_at is 'when it began';
comment on column ops.visit.worker_key is 'source key of the grid worker';
comment on column ops.visit.concerns_id is 'row visited, of any table';
comment on column ops.visit.found is 'the worker''s words: never in `pub`';
comment on column ops.visit.delivery_id is 'raw.delivery that brought it; NULL: made here';
comment on column ops.visit.updated_at is 'when it was last changed';

create table ops.grid_worker (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    name text not null,
    work_phone text,
    walks text[] not null,
    attrs jsonb not null,
    constraint pk_grid_worker primary key (town_code, id),
    constraint ck_grid_worker_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint uq_grid_worker_dataset_source_key_town_code unique (dataset, source_key, town_code)
);
create index ix_grid_worker_grid_code on ops.grid_worker (grid_code);
create index ix_grid_worker_walks on ops.grid_worker using gin (walks);
comment on table ops.grid_worker is 'Who walks which grids; the work phone is a matter of duty, not a resident''s.';
comment on column ops.grid_worker.town_code is '9 digits: the town the row lies in';
comment on column ops.grid_worker.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.grid_worker.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.grid_worker.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.grid_worker.dataset is 'dataset it was delivered in';
comment on column ops.grid_worker.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column ops.grid_worker.delivery_id is 'raw.delivery that wrote this version';
comment on column ops.grid_worker.updated_at is 'when the source last changed it; decides between late copies';
comment on column ops.grid_worker.gone_on is 'day since which a full delivery no longer has it';
comment on column ops.grid_worker.name is 'name on the duty list';
comment on column ops.grid_worker.work_phone is 'phone of the post, not a private one';
comment on column ops.grid_worker.walks is 'codes of the small grids walked';
comment on column ops.grid_worker.attrs is 'declared columns that are not of the core';
