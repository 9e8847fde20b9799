-- The closed loop: allowed transitions, the steps held to them, promises, and the order of commits.

create sequence ops.change_no;

create table ops.transition (
    step text not null,
    from_state text not null,
    state text not null,
    roles text[] not null,
    needs text[] not null,
    clock text not null,
    constraint pk_transition primary key (step, from_state),
    constraint uq_transition_step_from_state_state unique (step, from_state, state)
);
comment on table ops.transition is 'One allowed transition of the closed loop; each step taken here points at its row.';
comment on column ops.transition.step is 'name of the step';
comment on column ops.transition.from_state is 'state it is taken from; empty: makes a case';
comment on column ops.transition.state is 'state it leads to';
comment on column ops.transition.roles is 'who may take it';
comment on column ops.transition.needs is 'what it needs, see layers.lifecycle';
comment on column ops.transition.clock is 'what it does to the clock of the promise; empty: nothing';

alter table ops.event_step
    add column step text,
    add column account text collate "C",
    add column request_key text collate "C",
    add column until_at timestamptz,
    add column duplicate_of bigint,
    add column change_no bigint,
    add column recorded_at timestamptz,
    add constraint fk_event_step_step_from_state_state
        foreign key (step, from_state, state) references ops.transition (step, from_state, state),
    add constraint ck_event_step_made_here check (
        delivery_id is not null or step is not null
        and (from_state is not null or (step, state) = ('report', 'reported'))
        and account is not null and actor is not null and change_no is not null
    ),
    add constraint uq_event_step_town_code_event_id_request_key unique (town_code, event_id, request_key);
create index ix_event_step_change_no on ops.event_step (change_no) where change_no is not null;
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
revoke all on ops.transition, ops.promise from atlas_loader;
grant select on ops.transition, ops.promise to atlas_loader;
revoke update, delete on ops.event_step from atlas_loader;
revoke all on sequence ops.change_no from atlas_loader;
