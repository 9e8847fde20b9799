-- Photos of cases: made anew from what was sent, so that nothing but the picture is in them.

create table ops.photo (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    event_id bigint not null,
    sha256 bytea not null,
    taken_by text collate "C" not null,
    at timestamptz not null,
    width smallint not null,
    height smallint not null,
    jpeg bytea not null,
    constraint pk_photo primary key (town_code, id),
    constraint fk_photo_town_code_event_id foreign key (town_code, event_id) references ops.event (town_code, id),
    constraint uq_photo_town_code_event_id_sha256 unique (town_code, event_id, sha256)
);
comment on table ops.photo is 'A photo of a case, made anew without metadata.';
comment on column ops.photo.town_code is '9 digits: the town the row lies in';
comment on column ops.photo.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.photo.event_id is 'event it shows';
comment on column ops.photo.sha256 is 'digest of the picture: the same one again is the same photo';
comment on column ops.photo.taken_by is 'account that sent it, or the digest of a receipt';
comment on column ops.photo.at is 'when it was sent';
comment on column ops.photo.width is 'pixels';
comment on column ops.photo.height is 'pixels';
comment on column ops.photo.jpeg is 'the picture';
revoke all on ops.photo from atlas_loader;
grant select on ops.photo to atlas_loader;
