-- Levels that pass a call on before their time is over.

create table ops.pass_on (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    call_id bigint not null,
    from_code text collate "C" not null,
    at timestamptz not null,
    account text collate "C" not null,
    reason text,
    constraint pk_pass_on primary key (town_code, id),
    constraint fk_pass_on_town_code_call_id foreign key (town_code, call_id) references ops.call (town_code, id),
    constraint uq_pass_on_town_code_call_id_from_code unique (town_code, call_id, from_code)
);
comment on table ops.pass_on is 'A level that passed a call on to the next before its time was over.';
comment on column ops.pass_on.town_code is '9 digits: the town the row lies in';
comment on column ops.pass_on.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.pass_on.call_id is 'call it passed on';
comment on column ops.pass_on.from_code is 'grid above that held it';
comment on column ops.pass_on.at is 'when';
comment on column ops.pass_on.account is 'account that passed it on';
comment on column ops.pass_on.reason is 'why, in words';
revoke all on ops.pass_on from atlas_loader;
grant select on ops.pass_on to atlas_loader;
create index ix_call_event_id on ops.call (event_id) where event_id is not null;
