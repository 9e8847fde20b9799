-- The tree of grids in time, and the integer keys of datasets and categories.

create table pub.edition (
    edition smallint not null,
    name text not null,
    opened_on date not null,
    closed_on date,
    version integer not null,
    constraint pk_edition primary key (edition)
);
comment on table pub.edition is 'One state of the whole tree of grids; a reform opens the next.';
comment on column pub.edition.edition is 'number of the edition';
comment on column pub.edition.name is 'what the edition is called';
comment on column pub.edition.opened_on is 'first day it holds';
comment on column pub.edition.closed_on is 'first day it no longer holds; NULL: the one in force';
comment on column pub.edition.version is 'rises with every change of its grids; part of tile addresses';

create table pub.grid (
    edition smallint not null,
    code text collate "C" not null,
    grid_no integer not null,
    level text not null,
    parent_code text collate "C",
    name text not null,
    aliases text[] not null,
    geom geometry(multipolygon, 4490) not null,
    centre geometry(point, 4490) not null,
    area_m2 double precision not null,
    west double precision not null,
    south double precision not null,
    east double precision not null,
    north double precision not null,
    opened_on date,
    closed_on date,
    is_derived boolean default false not null,
    constraint pk_grid primary key (edition, code),
    constraint fk_grid_edition foreign key(edition) references pub.edition (edition),
    constraint uq_grid_grid_no unique (grid_no),
    constraint ck_grid_level check (level in ('city', 'county', 'large', 'medium', 'small')),
    constraint ck_grid_length_of_level check (length(code) = case level when 'city' then 4 when 'county' then 6 when 'large' then 9 when 'medium' then 12 when 'small' then 15 end)
);
create index ix_grid_edition_level on pub.grid (edition, level, code);
create index ix_grid_geom on pub.grid using gist (geom);
comment on table pub.grid is 'An area with a code, in one edition; codes are re-used, so (edition, code) is the key.';
comment on column pub.grid.edition is 'number of the edition';
comment on column pub.grid.code is 'code of the grid; a parent is a prefix';
comment on column pub.grid.grid_no is 'integer key of (edition, code), used by tallies';
comment on column pub.grid.level is 'city, county, large, medium or small';
comment on column pub.grid.parent_code is 'code of the grid above; NULL for the city';
comment on column pub.grid.name is 'its name in this edition';
comment on column pub.grid.aliases is 'former names and other spellings';
comment on column pub.grid.geom is 'its area, EPSG:4490, (lon, lat)';
comment on column pub.grid.centre is 'a point inside, for labels and for tying areas';
comment on column pub.grid.area_m2 is 'geodesic area';
comment on column pub.grid.west is 'western edge of its box, degrees';
comment on column pub.grid.south is 'southern edge of its box, degrees';
comment on column pub.grid.east is 'eastern edge of its box, degrees';
comment on column pub.grid.north is 'northern edge of its box, degrees';
comment on column pub.grid.opened_on is 'first day of the grid, where known';
comment on column pub.grid.closed_on is 'first day it was no more';
comment on column pub.grid.is_derived is 'outline united from the grids below, since none was delivered';

create table pub.succession (
    old_edition smallint not null,
    old_code text collate "C" not null,
    new_edition smallint not null,
    new_code text collate "C" not null,
    share double precision not null,
    household_share double precision,
    constraint pk_succession primary key (old_edition, old_code, new_edition, new_code),
    constraint fk_succession_old_edition_old_code foreign key(old_edition, old_code) references pub.grid (edition, code),
    constraint fk_succession_new_edition_new_code foreign key(new_edition, new_code) references pub.grid (edition, code),
    constraint ck_succession_share check (share > 0 and share <= 1),
    constraint ck_succession_household_share check (household_share >= 0 and household_share <= 1)
);
comment on table pub.succession is 'What became of a grid in a reform: which share of the old one lies in the new one.';
comment on column pub.succession.old_edition is 'old edition';
comment on column pub.succession.old_code is 'code in the old edition';
comment on column pub.succession.new_edition is 'new edition';
comment on column pub.succession.new_code is 'code in the new edition';
comment on column pub.succession.share is 'share of the old grid''s area, 0-1';
comment on column pub.succession.household_share is 'share of its households, rounded to 0.01; NULL: fewer than 10 with a place';

create table pub.grid_shape (
    edition smallint not null,
    code text collate "C" not null,
    zoom smallint not null,
    level text not null,
    geom geometry(geometry, 3857) not null,
    constraint pk_grid_shape primary key (edition, code, zoom),
    constraint fk_grid_shape_edition_code foreign key(edition, code) references pub.grid (edition, code) on delete cascade
);
create index ix_grid_shape_geom on pub.grid_shape using gist (geom);
comment on table pub.grid_shape is 'A grid simplified for drawing up to one zoom, borders still shared with its neighbours; EPSG:3857.';
comment on column pub.grid_shape.edition is 'number of the edition';
comment on column pub.grid_shape.code is 'code of the grid; a parent is a prefix';
comment on column pub.grid_shape.zoom is 'drawn up to this zoom';
comment on column pub.grid_shape.level is 'city, county, large, medium or small';
comment on column pub.grid_shape.geom is 'its simplified area, EPSG:3857, metres';

create table pub.dataset (
    dataset_no smallint not null,
    dataset text collate "C" not null,
    table_name text not null,
    is_sensitive boolean not null,
    loaded_at timestamptz,
    constraint pk_dataset primary key (dataset_no),
    constraint uq_dataset_dataset unique (dataset)
);
comment on table pub.dataset is 'Integer key of a declared dataset, used by tallies.';
comment on column pub.dataset.dataset_no is 'its number, from 1';
comment on column pub.dataset.dataset is 'declared key';
comment on column pub.dataset.table_name is 'table its rows land in';
comment on column pub.dataset.is_sensitive is 'as declared: never shown as single points';
comment on column pub.dataset.loaded_at is 'when its last delivery was loaded: the age of its data';

create table pub.category (
    category_no smallint not null,
    category text collate "C" not null,
    is_sensitive boolean not null,
    constraint pk_category primary key (category_no),
    constraint uq_category_category unique (category)
);
comment on table pub.category is 'Integer key of a declared category, used by tallies; 0 stands for none.';
comment on column pub.category.category_no is 'its number, from 1';
comment on column pub.category.category is 'declared key';
comment on column pub.category.is_sensitive is 'as declared: never shown as single points';

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
