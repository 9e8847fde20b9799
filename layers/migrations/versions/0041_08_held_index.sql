-- The first load of an empty table: its keys and indexes are dropped before and made after, in the loader's own
-- transaction, by two functions of the owner. What was dropped stands in a table the loader cannot write. It is back before
-- the load is committed: the reference to `never` can be met by no row, and is asked at the commit.

create table raw.held_index (
    table_name text not null,
    position smallint not null,
    statement text not null,
    never smallint default -1 not null,
    constraint pk_held_index primary key (table_name, position),
    constraint fk_held_index_table_name foreign key (table_name, never)
        references raw.held_index (table_name, position) deferrable initially deferred,
    constraint ck_held_index_never check (never = -1),
    constraint ck_held_index_position check (position > 0)
);
comment on table raw.held_index is 'A key or index dropped for a first load, to be made again; empty outside the transaction of that load.';
comment on column raw.held_index.table_name is 'table it belongs to';
comment on column raw.held_index.position is 'order in which it is made again';
comment on column raw.held_index.statement is 'statement that makes it';
comment on column raw.held_index.never is 'position of no row: what is still held when its transaction ends takes that back';
revoke all on raw.held_index from atlas_loader;
