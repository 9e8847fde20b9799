-- What was known when: older versions of rows, and rows that left.

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
