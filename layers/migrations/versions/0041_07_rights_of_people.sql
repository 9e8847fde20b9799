-- Rights of the people whose data is kept: who was forgotten and what was corrected stays so, whatever is delivered.

create table raw.tombstone (
    subject bytea not null,
    made_at timestamptz not null,
    why text not null,
    constraint pk_tombstone primary key (subject)
);
comment on table raw.tombstone is 'Somebody whose rows were deleted by request: what is delivered of the same subject is not taken in.';
comment on column raw.tombstone.subject is 'as in vault.person: a keyed token, from which nobody can be told';
comment on column raw.tombstone.made_at is 'when the rows were deleted';
comment on column raw.tombstone.why is 'number or date of the request; names nobody';
revoke all on raw.tombstone from atlas_loader;
grant select, insert on raw.tombstone to atlas_loader;

create table raw.amendment (
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    row_key text collate "C" not null,
    field text not null,
    edition smallint not null,
    value_sealed bytea not null,
    made_at timestamptz not null,
    why text not null,
    ended_at timestamptz,
    ended_by bigint,
    constraint pk_amendment primary key (dataset, source_key, field)
);
comment on table raw.amendment is 'A value of a person that was corrected by request; deliveries that still have the wrong one give way to it.';
comment on column raw.amendment.dataset is 'declared dataset';
comment on column raw.amendment.source_key is 'key of the row as its department delivers it';
comment on column raw.amendment.row_key is 'key of the row as it stands here; another one where the key itself was corrected';
comment on column raw.amendment.field is 'column of the declaration, or grid_code for the place';
comment on column raw.amendment.edition is 'edition of the grids it was made on';
comment on column raw.amendment.value_sealed is 'encrypted: the right value, and those that are wrong';
comment on column raw.amendment.made_at is 'when it was corrected';
comment on column raw.amendment.why is 'number or date of the request; names nobody';
comment on column raw.amendment.ended_at is 'when the department delivered the right value itself';
comment on column raw.amendment.ended_by is 'delivery that had it';
revoke all on raw.amendment from atlas_loader;
grant select, insert, update, delete on raw.amendment to atlas_loader;
