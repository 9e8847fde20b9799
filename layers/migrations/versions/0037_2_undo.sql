alter table raw.held_index drop constraint fk_held_index_table_name;
alter table raw.held_index drop constraint ck_held_index_position;
alter table raw.held_index drop never;
