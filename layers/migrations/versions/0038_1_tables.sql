-- What earlier releases of people counts told, and the true counts they were made from.

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

comment on table raw.recount is 'A change of rows, not yet counted on older editions or, of people, not yet published; empty when all are.';
