-- Calls of a grid that go up its tree until somebody answers, levels that pass them on, departments that report in.

create table ops.call (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    request_key text collate "C" not null,
    event_id bigint,
    called_at timestamptz not null,
    called_by text collate "C" not null,
    what text not null,
    departments text[] not null,
    answered_at timestamptz,
    answered_by text collate "C",
    answered_code text collate "C",
    constraint pk_call primary key (town_code, id),
    constraint ck_call_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_call_answered check ((answered_at is null) = (answered_by is null)),
    constraint uq_call_town_code_request_key unique (town_code, request_key)
);
create index ix_call_grid_code on ops.call (grid_code) where answered_at is null;
create index ix_call_event_id on ops.call (event_id) where event_id is not null;
comment on table ops.call is 'A call of a grid: it goes up the tree until somebody answers.';
comment on column ops.call.town_code is '9 digits: the town the row lies in';
comment on column ops.call.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.call.grid_code is 'grid that calls';
comment on column ops.call.request_key is 'chosen by the sender: a resend does nothing twice';
comment on column ops.call.event_id is 'event it is about';
comment on column ops.call.called_at is 'when it was made';
comment on column ops.call.called_by is 'account that called';
comment on column ops.call.what is 'what is needed, in words';
comment on column ops.call.departments is 'departments called together; the first leads';
comment on column ops.call.answered_at is 'when it was answered; NULL: open';
comment on column ops.call.answered_by is 'account that answered';
comment on column ops.call.answered_code is 'grid above for which it was answered';

create table ops.report_in (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    call_id bigint not null,
    department text collate "C" not null,
    at timestamptz not null,
    account text collate "C" not null,
    constraint pk_report_in primary key (town_code, id),
    constraint fk_report_in_town_code_call_id foreign key (town_code, call_id) references ops.call (town_code, id),
    constraint uq_report_in_town_code_call_id_department unique (town_code, call_id, department)
);
comment on table ops.report_in is 'A department that reported in on a call.';
comment on column ops.report_in.town_code is '9 digits: the town the row lies in';
comment on column ops.report_in.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.report_in.call_id is 'call it reports in on';
comment on column ops.report_in.department is 'department that reports in';
comment on column ops.report_in.at is 'when';
comment on column ops.report_in.account is 'account that reported in';
revoke all on ops.call, ops.report_in from atlas_loader;
grant select on ops.call, ops.report_in to atlas_loader;

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
