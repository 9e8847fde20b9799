-- What hangs on a case: visits back, photos, and what is released about it.

create table ops.visit_back (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    event_id bigint not null,
    asked_at timestamptz not null,
    asked_by text collate "C" not null,
    way text not null,
    token_hash bytea,
    answered_at timestamptz,
    is_satisfied boolean,
    reason text,
    declined_at timestamptz,
    declined_by text collate "C",
    decline_reason text,
    constraint pk_visit_back primary key (town_code, id),
    constraint ck_visit_back_way check (way in ('link', 'phone')),
    constraint ck_visit_back_answered check ((answered_at is null) = (is_satisfied is null)),
    constraint fk_visit_back_town_code_event_id foreign key (town_code, event_id) references ops.event (town_code, id)
);
create index ix_visit_back_event_id on ops.visit_back (event_id);
create index ix_visit_back_token_hash on ops.visit_back (token_hash) where token_hash is not null;
comment on table ops.visit_back is 'One time somebody was asked whether a closed case is settled, and the answer.';
comment on column ops.visit_back.town_code is '9 digits: the town the row lies in';
comment on column ops.visit_back.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.visit_back.event_id is 'event it is about';
comment on column ops.visit_back.asked_at is 'when it was asked';
comment on column ops.visit_back.asked_by is 'account that asked';
comment on column ops.visit_back.way is 'link or phone';
comment on column ops.visit_back.token_hash is 'SHA-256 of the token in the link; the token itself is kept nowhere';
comment on column ops.visit_back.answered_at is 'when it was answered; NULL: not answered';
comment on column ops.visit_back.is_satisfied is 'the answer; NULL: not answered, which is neither yes nor no';
comment on column ops.visit_back.reason is 'why, in the words of who answered';
comment on column ops.visit_back.declined_at is 'when the wish to reopen was declined';
comment on column ops.visit_back.declined_by is 'account that declined it';
comment on column ops.visit_back.decline_reason is 'why it was declined';
revoke all on ops.visit_back from atlas_loader;
grant select on ops.visit_back to atlas_loader;

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

create table ops.echo (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    event_id bigint not null,
    problem text not null,
    measure text not null,
    result text,
    released_at timestamptz not null,
    released_by text collate "C" not null,
    withdrawn_at timestamptz,
    withdrawn_by text collate "C",
    withdraw_reason text,
    constraint pk_echo primary key (town_code, id),
    constraint ck_echo_withdrawn_whole check (num_nonnulls(withdrawn_at, withdrawn_by, withdraw_reason) in (0, 3)),
    constraint fk_echo_town_code_event_id foreign key (town_code, event_id) references ops.event (town_code, id)
);
create unique index ix_echo_shown on ops.echo (town_code, event_id) where withdrawn_at is null;
create index ix_echo_released_at on ops.echo (released_at) where withdrawn_at is null;
comment on table ops.echo is 'What the problem and echo wall says of a case: released by a person, withdrawn by one.';
comment on column ops.echo.town_code is '9 digits: the town the row lies in';
comment on column ops.echo.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.echo.event_id is 'event it is about';
comment on column ops.echo.problem is 'what is the matter, in the words of who released it';
comment on column ops.echo.measure is 'what is done about it';
comment on column ops.echo.result is 'what came of it; NULL: nothing yet';
comment on column ops.echo.released_at is 'when it was released';
comment on column ops.echo.released_by is 'account that released it';
comment on column ops.echo.withdrawn_at is 'when it was taken from the wall; NULL: it is shown';
comment on column ops.echo.withdrawn_by is 'account that took it away';
comment on column ops.echo.withdraw_reason is 'why';
revoke all on ops.echo from atlas_loader;
grant select on ops.echo to atlas_loader;
