-- What a first load put aside is back before the load is committed: the reference can be met by no row, and is asked at
-- the commit.
alter table raw.held_index add never smallint not null default -1 constraint ck_held_index_never check (never = -1);
alter table raw.held_index add constraint fk_held_index_table_name foreign key (table_name, never)
    references raw.held_index (table_name, position) deferrable initially deferred;
alter table raw.held_index add constraint ck_held_index_position check (position > 0);
comment on column raw.held_index.never is 'position of no row: what is still held when its transaction ends takes that back';
