-- Events, the steps that move them along, the promises made on them, and the order of commits.

create sequence ops.change_no;

create table ops.event (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    grid_code text collate "C" not null,
    edition smallint not null,
    dataset text collate "C" not null,
    source_key text collate "C" not null,
    delivery_id bigint not null,
    updated_at timestamptz not null,
    gone_on date,
    category text collate "C" not null,
    state text not null,
    outcome text,
    reported_at timestamptz not null,
    due_at timestamptz,
    closed_at timestamptz,
    department text collate "C",
    channel text,
    is_urgent boolean not null,
    is_on_spot boolean not null,
    is_satisfied boolean,
    summary text,
    version integer default '1' not null,
    delivered_code text collate "C",
    tied_by text not null,
    is_sensitive boolean not null,
    attrs jsonb not null,
    geom geometry(geometry, 4490),
    constraint pk_event primary key (id, town_code),
    constraint ck_event_town_of_grid check (town_code = left(rpad(grid_code, 9, '0'), 9)),
    constraint ck_event_tied_by check (tied_by in ('point', 'code', 'address', 'none')),
    constraint ck_event_state check (state in ('reported', 'accepted', 'refused', 'dispatched', 'handling', 'suspended', 'handled', 'checked', 'closed')),
    constraint ck_event_outcome check (outcome in ('settled', 'not_our_duty', 'duplicate', 'void'))
);
create index ix_event_geom on ops.event using gist (geom);
create index ix_event_grid_code on ops.event (grid_code, reported_at);
create index ix_event_reported_at on ops.event using brin (reported_at);
create index ix_event_open on ops.event (grid_code) where state not in ('refused', 'closed') and gone_on is null;
comment on table ops.event is 'Something that happened and has to be dealt with.';
comment on column ops.event.town_code is '9 digits: the town the row lies in';
comment on column ops.event.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.event.grid_code is 'finest grid known; the city''s code when unplaced';
comment on column ops.event.edition is 'edition of the grids that grid_code belongs to';
comment on column ops.event.dataset is 'dataset it was delivered in';
comment on column ops.event.source_key is 'the deliverer''s own key, unique in the dataset; a keyed token where that would be an ID number';
comment on column ops.event.delivery_id is 'raw.delivery that wrote this version';
comment on column ops.event.updated_at is 'when the source last changed it; decides between late copies';
comment on column ops.event.gone_on is 'day since which a full delivery no longer has it';
comment on column ops.event.category is 'declared category';
comment on column ops.event.state is 'where it stands in the closed loop';
comment on column ops.event.outcome is 'what it came to; NULL until closed, or not said';
comment on column ops.event.reported_at is 'when it was reported: its day and month in all counts';
comment on column ops.event.due_at is 'the promise, frozen when made; NULL: no time limit';
comment on column ops.event.closed_at is 'when it was closed; NULL: open';
comment on column ops.event.department is 'who handles it';
comment on column ops.event.channel is 'how it came in: grid_worker, hotline, resident, department';
comment on column ops.event.is_urgent is 'its time limit runs through nights and holidays';
comment on column ops.event.is_on_spot is 'reported and settled by the grid worker in one step';
comment on column ops.event.is_satisfied is 'the resident''s answer; NULL: not answered';
comment on column ops.event.summary is 'the reporter''s words: never on the wall, never in `pub`';
comment on column ops.event.version is 'compare-and-set';
comment on column ops.event.delivered_code is 'grid code as the source gave it, never overwritten';
comment on column ops.event.tied_by is 'point, code, address or none: how grid_code was found';
comment on column ops.event.is_sensitive is 'from its dataset or category: never shown as a single point';
comment on column ops.event.attrs is 'declared columns that are not of the core';
comment on column ops.event.geom is 'where it is, EPSG:4490, (lon, lat); NULL when only the grid is known';

create table ops.event_step (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    event_id bigint not null,
    step_no smallint not null,
    at timestamptz not null,
    from_state text,
    state text not null,
    department text collate "C",
    actor text,
    reason text,
    delivery_id bigint,
    step text,
    account text collate "C",
    request_key text collate "C",
    until_at timestamptz,
    duplicate_of bigint,
    change_no bigint,
    recorded_at timestamptz,
    constraint pk_event_step primary key (town_code, id),
    constraint fk_event_step_town_code_event_id foreign key(town_code, event_id) references ops.event (town_code, id),
    constraint ck_event_step_state check (state in ('reported', 'accepted', 'refused', 'dispatched', 'handling', 'suspended', 'handled', 'checked', 'closed')),
    constraint uq_event_step_town_code_event_id_step_no unique (town_code, event_id, step_no),
    constraint fk_event_step_step_from_state_state
        foreign key (step, from_state, state) references ops.transition (step, from_state, state),
    constraint ck_event_step_made_here check (
        delivery_id is not null or step is not null
        and (from_state is not null or (step, state) = ('report', 'reported'))
        and account is not null and actor is not null and change_no is not null
    ),
    constraint uq_event_step_town_code_event_id_request_key unique (town_code, event_id, request_key)
);
create index ix_event_step_change_no on ops.event_step (change_no) where change_no is not null;
create index ix_event_step_account on ops.event_step (account) where step = 'report';
create index ix_event_step_duplicate_of on ops.event_step (duplicate_of) where duplicate_of is not null;
comment on table ops.event_step is 'One step of an event: who, when, from, to, why. Appended, never edited.';
comment on column ops.event_step.town_code is '9 digits: the town the row lies in';
comment on column ops.event_step.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.event_step.event_id is 'event it belongs to';
comment on column ops.event_step.step_no is '1, 2, 3 .. in order of time';
comment on column ops.event_step.at is 'when it was taken';
comment on column ops.event_step.from_state is 'NULL for the first step';
comment on column ops.event_step.state is 'state the step led to';
comment on column ops.event_step.department is 'department concerned';
comment on column ops.event_step.actor is 'role that took the step';
comment on column ops.event_step.reason is 'why, in the words of the source';
comment on column ops.event_step.delivery_id is 'raw.delivery that brought it; NULL: made here';
comment on column ops.event_step.step is 'name of the step in ops.transition; NULL: delivered';
comment on column ops.event_step.account is 'account that took the step; NULL: delivered';
comment on column ops.event_step.request_key is 'chosen by the sender: a resend does nothing twice';
comment on column ops.event_step.until_at is 'end of the suspension, or the deadline put off to';
comment on column ops.event_step.duplicate_of is 'event it was merged into';
comment on column ops.event_step.change_no is 'place in the order of commits; NULL: delivered';
comment on column ops.event_step.recorded_at is 'when it was written here; later than `at` where it was sent late';

create table ops.promise (
    town_code text collate "C" not null,
    id bigint default nextval('ops.row_id') not null,
    event_id bigint not null,
    round smallint not null,
    department text collate "C",
    made_at timestamptz not null,
    amount double precision not null,
    unit text not null,
    used double precision not null,
    clock_at timestamptz,
    due_at timestamptz,
    is_provisional boolean not null,
    constraint pk_promise primary key (town_code, id),
    constraint ck_promise_unit check (unit in ('urgent_hours', 'working_hours', 'working_days', 'calendar_days')),
    constraint fk_promise_town_code_event_id foreign key (town_code, event_id) references ops.event (town_code, id),
    constraint uq_promise_town_code_event_id_round unique (town_code, event_id, round)
);
comment on table ops.promise is 'A promise made on a case: amount and unit frozen when made, and how much of it is used.';
comment on column ops.promise.town_code is '9 digits: the town the row lies in';
comment on column ops.promise.id is 'from ops.row_id, so that it names one row of all tables';
comment on column ops.promise.event_id is 'event it was made on';
comment on column ops.promise.round is '1 for the first; another department or a reopening makes the next';
comment on column ops.promise.department is 'whose clock it is; NULL until dispatched';
comment on column ops.promise.made_at is 'when it was made';
comment on column ops.promise.amount is 'how much time, in its unit';
comment on column ops.promise.unit is 'urgent_hours, working_hours, working_days or calendar_days';
comment on column ops.promise.used is 'how much of it was used before clock_at, in its unit';
comment on column ops.promise.clock_at is 'since when the clock runs; NULL: it stands still';
comment on column ops.promise.due_at is 'when it falls due; NULL while the clock stands still';
comment on column ops.promise.is_provisional is 'reaches into a year whose make-up days are not yet published';

-- A log is appended to. The loader brings steps of other systems and carries them along by ops.carry_events alone.
revoke all on ops.promise from atlas_loader;
grant select on ops.promise to atlas_loader;
revoke update, delete on ops.event_step from atlas_loader;
revoke all on sequence ops.change_no from atlas_loader;
