-- The published counts of people, what of them is kept back, and what the vault remembers of earlier ones.

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

create table pub.people_withheld (
    edition smallint not null,
    month integer not null,
    breakdown text collate "C" not null,
    digits smallint not null,
    reason text not null,
    constraint pk_people_withheld primary key (edition, month, breakdown, digits),
    constraint ck_people_withheld_reason check (reason in ('no_solution', 'attack', 'declared'))
);
comment on table pub.people_withheld is 'A level that a breakdown of people is not published on; the levels above it are.';
comment on column pub.people_withheld.edition is 'edition of the grids';
comment on column pub.people_withheld.month is 'yyyymm';
comment on column pub.people_withheld.breakdown is 'declared breakdown';
comment on column pub.people_withheld.digits is 'length of the codes of that level';
comment on column pub.people_withheld.reason is 'no_solution: nothing adds up under the published totals; attack: a small count could be narrowed; declared: finer than its declaration allows';

create table vault.people_told (
    town_code text collate "C" not null,
    edition smallint not null,
    breakdown text collate "C" not null,
    node text collate "C" not null,
    cells text not null,
    counts integer[] not null,
    figures integer[] not null,
    least integer[] not null,
    most integer[] not null,
    constraint pk_people_told primary key (town_code, edition, breakdown, node)
);
comment on table vault.people_told is 'What releases told of a grid and a breakdown, beside the true counts; figures stay where these do.';
comment on column vault.people_told.town_code is '9 digits: town of the grid';
comment on column vault.people_told.edition is 'edition of the grids';
comment on column vault.people_told.breakdown is 'declared breakdown; `all` is the total';
comment on column vault.people_told.node is 'grid of any level; with a plus: who is known to it and to no grid below it';
comment on column vault.people_told.cells is 'cells of the breakdown, in order';
comment on column vault.people_told.counts is 'people in each cell when the release was made';
comment on column vault.people_told.figures is 'what was published of them; -1: nothing';
comment on column vault.people_told.least is 'lowest figure published since the grid is in all counts what it is; -1: none';
comment on column vault.people_told.most is 'highest figure published since the grid is in all counts what it is; -1: none';
