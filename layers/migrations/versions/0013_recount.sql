-- What changed since the counts on the grids of older editions were last worked out.
create table raw.recount (
    id bigint not null default nextval('ops.row_id'),
    dataset text collate "C" not null,
    constraint pk_recount primary key (id)
);
comment on table raw.recount is 'A change of rows, not yet counted on the grids of older editions; empty when all are.';
comment on column raw.recount.id is 'number of the change';
comment on column raw.recount.dataset is 'dataset whose rows changed';
