-- The care register: which datasets bring its records, and the visits that were made. Enrolment is the loader's alone.

create table vault.care_group (
    care_group text collate "C" not null,
    dataset text collate "C" not null,
    department text collate "C" not null,
    role text not null,
    visit_days smallint not null,
    is_restricted boolean not null,
    constraint pk_care_group primary key (care_group),
    constraint uq_care_group_dataset unique (dataset),
    constraint ck_care_group_role check (role in ('grid_worker', 'case_officer'))
);
comment on table vault.care_group is 'A declared group of people who are offered care; the records are the rows its dataset brings.';
comment on column vault.care_group.care_group is 'declared care group';
comment on column vault.care_group.dataset is 'dataset of vault.person that brings its records';
comment on column vault.care_group.department is 'unit that answers for it';
comment on column vault.care_group.role is 'who visits';
comment on column vault.care_group.visit_days is 'days from one visit to the next';
comment on column vault.care_group.is_restricted is 'only the account named in a record sees it';

create table vault.care_visit (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    person_id bigint not null,
    care_group text collate "C" not null,
    account text collate "C" not null,
    request_key text not null,
    visited_on date not null,
    status text not null,
    found text,
    at timestamptz not null,
    constraint pk_care_visit primary key (town_code, id),
    constraint uq_care_visit_town_code_person_id_account_request_key unique (town_code, person_id, account, request_key),
    constraint ck_care_visit_status check (status in ('at_home', 'away', 'in_care', 'declined'))
);
create index ix_care_visit_person_id on vault.care_visit (person_id, visited_on);
comment on table vault.care_visit is 'A visit to somebody who is offered care, as the worker wrote it down.';
comment on column vault.care_visit.town_code is '9 digits: the town the row lies in';
comment on column vault.care_visit.id is 'from ops.row_id, so that it names one row of all tables';
comment on column vault.care_visit.person_id is 'row of vault.person that is the care record';
comment on column vault.care_visit.care_group is 'declared care group of that record';
comment on column vault.care_visit.account is 'account of who visited';
comment on column vault.care_visit.request_key is 'made up by the browser: the same again is the same visit';
comment on column vault.care_visit.visited_on is 'day of the visit';
comment on column vault.care_visit.status is 'how the person was found: at_home, away, in_care or declined';
comment on column vault.care_visit.found is 'the worker''s words; NULL: none';
comment on column vault.care_visit.at is 'when it was written down';
revoke all on vault.care_visit from atlas_loader;
grant select, delete on vault.care_visit to atlas_loader;
