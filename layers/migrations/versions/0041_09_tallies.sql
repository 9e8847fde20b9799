-- Counts of rows.

create table pub.tally_small_month (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    delta_id bigint not null,
    n integer not null,
    constraint pk_tally_small_month primary key (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)
);
create index ix_tally_small_month_period on pub.tally_small_month (period, dataset_no, category_no, grid_no)
    include (town_code, state_no, n);
create index ix_tally_small_month_delta_id on pub.tally_small_month (delta_id) where delta_id <> 0;
comment on table pub.tally_small_month is 'Small grid by month.';
comment on column pub.tally_small_month.town_code is '9 digits: town of the grid';
comment on column pub.tally_small_month.grid_no is 'pub.grid, and so the edition';
comment on column pub.tally_small_month.period is 'yyyymm or yyyymmdd of the civil day; 0 for things without time';
comment on column pub.tally_small_month.dataset_no is 'pub.dataset';
comment on column pub.tally_small_month.category_no is 'pub.category; 0 for none';
comment on column pub.tally_small_month.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column pub.tally_small_month.delta_id is '0: the sum; else a change';
comment on column pub.tally_small_month.n is 'rows, or the signed change of them';

create table pub.tally_medium_day (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    delta_id bigint not null,
    n integer not null,
    constraint pk_tally_medium_day primary key (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)
);
create index ix_tally_medium_day_period on pub.tally_medium_day (period, dataset_no, category_no, grid_no)
    include (town_code, state_no, n);
create index ix_tally_medium_day_delta_id on pub.tally_medium_day (delta_id) where delta_id <> 0;
comment on table pub.tally_medium_day is 'Medium grid by day.';
comment on column pub.tally_medium_day.town_code is '9 digits: town of the grid';
comment on column pub.tally_medium_day.grid_no is 'pub.grid, and so the edition';
comment on column pub.tally_medium_day.period is 'yyyymm or yyyymmdd of the civil day; 0 for things without time';
comment on column pub.tally_medium_day.dataset_no is 'pub.dataset';
comment on column pub.tally_medium_day.category_no is 'pub.category; 0 for none';
comment on column pub.tally_medium_day.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column pub.tally_medium_day.delta_id is '0: the sum; else a change';
comment on column pub.tally_medium_day.n is 'rows, or the signed change of them';

create table pub.tally_large_month (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    delta_id bigint not null,
    n integer not null,
    constraint pk_tally_large_month primary key (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)
);
create index ix_tally_large_month_period on pub.tally_large_month (period, dataset_no, category_no, grid_no)
    include (town_code, state_no, n);
create index ix_tally_large_month_delta_id on pub.tally_large_month (delta_id) where delta_id <> 0;
comment on table pub.tally_large_month is 'Large grid by month.';
comment on column pub.tally_large_month.town_code is '9 digits: town of the grid';
comment on column pub.tally_large_month.grid_no is 'pub.grid, and so the edition';
comment on column pub.tally_large_month.period is 'yyyymm or yyyymmdd of the civil day; 0 for things without time';
comment on column pub.tally_large_month.dataset_no is 'pub.dataset';
comment on column pub.tally_large_month.category_no is 'pub.category; 0 for none';
comment on column pub.tally_large_month.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column pub.tally_large_month.delta_id is '0: the sum; else a change';
comment on column pub.tally_large_month.n is 'rows, or the signed change of them';

create table vault.tally_small_month (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    delta_id bigint not null,
    n integer not null,
    constraint pk_tally_small_month primary key (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)
);
create index ix_tally_small_month_period on vault.tally_small_month (period, dataset_no, category_no, grid_no)
    include (town_code, state_no, n);
create index ix_tally_small_month_delta_id on vault.tally_small_month (delta_id) where delta_id <> 0;
comment on table vault.tally_small_month is 'Small grid by month, of people and of sensitive categories.';
comment on column vault.tally_small_month.town_code is '9 digits: town of the grid';
comment on column vault.tally_small_month.grid_no is 'pub.grid, and so the edition';
comment on column vault.tally_small_month.period is 'yyyymm or yyyymmdd of the civil day; 0 for things without time';
comment on column vault.tally_small_month.dataset_no is 'pub.dataset';
comment on column vault.tally_small_month.category_no is 'pub.category; 0 for none';
comment on column vault.tally_small_month.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column vault.tally_small_month.delta_id is '0: the sum; else a change';
comment on column vault.tally_small_month.n is 'rows, or the signed change of them';

create table vault.tally_medium_day (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    delta_id bigint not null,
    n integer not null,
    constraint pk_tally_medium_day primary key (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)
);
create index ix_tally_medium_day_period on vault.tally_medium_day (period, dataset_no, category_no, grid_no)
    include (town_code, state_no, n);
create index ix_tally_medium_day_delta_id on vault.tally_medium_day (delta_id) where delta_id <> 0;
comment on table vault.tally_medium_day is 'Medium grid by day, of people and of sensitive categories.';
comment on column vault.tally_medium_day.town_code is '9 digits: town of the grid';
comment on column vault.tally_medium_day.grid_no is 'pub.grid, and so the edition';
comment on column vault.tally_medium_day.period is 'yyyymm or yyyymmdd of the civil day; 0 for things without time';
comment on column vault.tally_medium_day.dataset_no is 'pub.dataset';
comment on column vault.tally_medium_day.category_no is 'pub.category; 0 for none';
comment on column vault.tally_medium_day.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column vault.tally_medium_day.delta_id is '0: the sum; else a change';
comment on column vault.tally_medium_day.n is 'rows, or the signed change of them';

create table vault.tally_large_month (
    town_code text collate "C" not null,
    grid_no integer not null,
    period integer not null,
    dataset_no smallint not null,
    category_no smallint not null,
    state_no smallint not null,
    delta_id bigint not null,
    n integer not null,
    constraint pk_tally_large_month primary key (town_code, grid_no, period, dataset_no, category_no, state_no, delta_id)
);
create index ix_tally_large_month_period on vault.tally_large_month (period, dataset_no, category_no, grid_no)
    include (town_code, state_no, n);
create index ix_tally_large_month_delta_id on vault.tally_large_month (delta_id) where delta_id <> 0;
comment on table vault.tally_large_month is 'Large grid by month, of people and of sensitive categories.';
comment on column vault.tally_large_month.town_code is '9 digits: town of the grid';
comment on column vault.tally_large_month.grid_no is 'pub.grid, and so the edition';
comment on column vault.tally_large_month.period is 'yyyymm or yyyymmdd of the civil day; 0 for things without time';
comment on column vault.tally_large_month.dataset_no is 'pub.dataset';
comment on column vault.tally_large_month.category_no is 'pub.category; 0 for none';
comment on column vault.tally_large_month.state_no is 'position in layers.tables.events.STATES from 1; 0 for none';
comment on column vault.tally_large_month.delta_id is '0: the sum; else a change';
comment on column vault.tally_large_month.n is 'rows, or the signed change of them';

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
