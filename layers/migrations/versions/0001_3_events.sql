-- Events and the steps that move them along.

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
    constraint pk_event_step primary key (town_code, id),
    constraint fk_event_step_town_code_event_id foreign key(town_code, event_id) references ops.event (town_code, id),
    constraint ck_event_step_state check (state in ('reported', 'accepted', 'refused', 'dispatched', 'handling', 'suspended', 'handled', 'checked', 'closed')),
    constraint uq_event_step_town_code_event_id_step_no unique (town_code, event_id, step_no)
);
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
