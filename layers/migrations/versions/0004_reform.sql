-- What a reform of the grids needs to keep: households by succession, former grids, counts carried by share.

alter table pub.succession add column household_share double precision;
alter table pub.succession
    add constraint ck_succession_household_share check (household_share >= 0 and household_share <= 1);
comment on column pub.succession.household_share
    is 'share of its households, rounded to 0.01; NULL: fewer than 10 with a place';

create table ops.former_grid (
    town_code text collate "C" not null,
    id bigint not null,
    edition smallint not null,
    grid_code text collate "C" not null,
    constraint pk_former_grid primary key (town_code, id, edition),
    constraint ck_former_grid_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9))
);
create index ix_former_grid_id on ops.former_grid (id, edition);
comment on table ops.former_grid is 'Where a row without a point was tied in an earlier edition: a merger would otherwise forget it.';
comment on column ops.former_grid.town_code is '9 digits: town of that grid';
comment on column ops.former_grid.id is 'id of the row, of any table';
comment on column ops.former_grid.edition is 'the earlier edition';
comment on column ops.former_grid.grid_code is 'finest grid known in that edition';

create table pub.tally_carried (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    n double precision not null,
    constraint pk_tally_carried primary key (town_code, grid_no, period, dataset_no, category_no, state_no)
);
create index ix_tally_carried_dataset_no on pub.tally_carried (dataset_no, grid_no);
comment on table pub.tally_carried is 'Part of a count that a grid has by share, and not row by row: a reform split the grid the rows were known in.';
comment on column pub.tally_carried.town_code is '9 digits: town of the grid';
comment on column pub.tally_carried.grid_no is 'pub.grid, and so the edition';
comment on column pub.tally_carried.period is 'yyyymmdd of the civil day; 0 for things without time';
comment on column pub.tally_carried.dataset_no is 'pub.dataset';
comment on column pub.tally_carried.category_no is 'pub.category; 0 for none';
comment on column pub.tally_carried.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column pub.tally_carried.n is 'rows given to this grid; negative where they are taken from';

create table raw.reform (
    edition smallint not null,
    file_name text not null,
    content_hash bytea not null,
    carried_out_at timestamptz not null,
    carried_out_by text not null,
    report jsonb not null,
    constraint pk_reform primary key (edition),
    constraint uq_reform_content_hash unique (content_hash)
);
comment on table raw.reform is 'A reform of the grids that was carried out. The same plan for the same day is carried out once.';
comment on column raw.reform.edition is 'edition it opened';
comment on column raw.reform.file_name is 'name of the plan, without its folder';
comment on column raw.reform.content_hash is 'SHA-256 of day, plan and outlines';
comment on column raw.reform.carried_out_at is 'when it was carried out';
comment on column raw.reform.carried_out_by is 'who carried it out';
comment on column raw.reform.report is 'grids by kind of change and by level, rows tied by point and by succession, seconds';
