-- The problem and echo wall: what a person released about a case, in words of their own.

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
