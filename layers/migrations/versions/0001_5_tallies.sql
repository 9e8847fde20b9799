-- Counts, and the published counts of people.

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

create table pub.people_count (
    town_code text collate "C" not null,
    edition smallint not null,
    month integer not null,
    breakdown text collate "C" not null,
    cell text collate "C" not null,
    grid_code text collate "C" not null,
    n integer not null,
    published_at timestamptz not null,
    constraint pk_people_count primary key (town_code, edition, month, breakdown, cell, grid_code),
    constraint ck_people_count_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_people_count_rounded check (n >= 0 and mod(n, 10) = 0)
);
create index ix_people_count_month on pub.people_count (month, edition, breakdown, cell, grid_code);
comment on table pub.people_count is 'A published count of people: a multiple of 10 within 9 of the truth.';
comment on column pub.people_count.town_code is '9 digits: town of the grid';
comment on column pub.people_count.edition is 'edition of the grids';
comment on column pub.people_count.month is 'yyyymm';
comment on column pub.people_count.breakdown is 'declared breakdown; `all` is the total';
comment on column pub.people_count.cell is 'cell of the breakdown; `all` is the total';
comment on column pub.people_count.grid_code is 'grid of any level';
comment on column pub.people_count.n is 'people, rounded';
comment on column pub.people_count.published_at is 'when it was worked out';
