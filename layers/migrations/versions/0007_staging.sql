-- Where workers put the batches they have done, until the loader's one transaction takes them in.

create table raw.staging (
    delivery text not null,
    batch integer not null,
    content bytea not null,
    constraint pk_staging primary key (delivery, batch)
);
alter table raw.staging alter content set storage external; -- encrypted: nothing to be won by compressing it
comment on table raw.staging is 'Batches done by workers, sealed, until the loader takes them in; empty when nobody loads.';
comment on column raw.staging.delivery is 'one load of one file, named at random';
comment on column raw.staging.batch is 'number of the batch in its file, from 0';
comment on column raw.staging.content is 'what became of its rows, encrypted as identities are';
grant truncate on raw.staging to atlas_loader;
