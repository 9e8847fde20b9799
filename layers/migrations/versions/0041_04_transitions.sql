-- Every allowed transition of the closed loop, as layers.lifecycle has them: a test holds the two together.

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

insert into ops.transition (step, from_state, state, roles, needs, clock) values
    ('report', '', 'reported', '{resident, grid_worker, dispatcher, department_handler}', '{}', ''),
    ('settle_on_spot', 'reported', 'closed', '{grid_worker}', '{reason}', ''),
    ('accept', 'reported', 'accepted', '{dispatcher}', '{}', 'starts'),
    ('refuse', 'reported', 'refused', '{dispatcher}', '{reason}', ''),
    ('reconsider', 'refused', 'reported', '{dispatcher}', '{reason}', ''),
    ('dispatch', 'accepted', 'dispatched', '{dispatcher}', '{department}', 'goes on'),
    ('dismiss', 'accepted', 'closed', '{dispatcher}', '{outcome, reason, fresh}', 'ends'),
    ('take_on', 'dispatched', 'handling', '{department_handler}', '{own}', ''),
    ('return', 'dispatched', 'accepted', '{department_handler}', '{reason, own}', 'stops'),
    ('return', 'handling', 'accepted', '{department_handler}', '{reason, own}', 'stops'),
    ('suspend', 'handling', 'suspended', '{department_handler, dispatcher}', '{reason, until, own}', 'stops'),
    ('resume', 'suspended', 'handling', '{department_handler, dispatcher}', '{own}', 'goes on'),
    ('extend', 'dispatched', 'dispatched', '{dispatcher}', '{reason, until}', 'is put off'),
    ('extend', 'handling', 'handling', '{dispatcher}', '{reason, until}', 'is put off'),
    ('finish', 'handling', 'handled', '{department_handler}', '{reason, own}', ''),
    ('pass', 'handled', 'checked', '{case_officer, grid_worker}', '{other_hand}', ''),
    ('rework', 'handled', 'handling', '{case_officer, grid_worker}', '{reason, other_hand}', ''),
    ('close', 'checked', 'closed', '{dispatcher}', '{outcome}', 'ends'),
    ('merge', 'reported', 'closed', '{dispatcher}', '{original}', 'ends'),
    ('merge', 'accepted', 'closed', '{dispatcher}', '{original}', 'ends'),
    ('merge', 'dispatched', 'closed', '{dispatcher}', '{original}', 'ends'),
    ('merge', 'handling', 'closed', '{dispatcher}', '{original}', 'ends'),
    ('merge', 'suspended', 'closed', '{dispatcher}', '{original}', 'ends'),
    ('withdraw', 'reported', 'closed', '{resident, dispatcher}', '{reason, own}', 'ends'),
    ('withdraw', 'accepted', 'closed', '{resident, dispatcher}', '{reason, own}', 'ends'),
    ('withdraw', 'dispatched', 'closed', '{resident, dispatcher}', '{reason, own}', 'ends'),
    ('reopen', 'closed', 'accepted', '{dispatcher}', '{reason}', 'starts');

revoke all on ops.transition from atlas_loader;
grant select on ops.transition to atlas_loader;
