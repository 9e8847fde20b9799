-- Visits back: whether somebody was asked, what the answer was, and what became of a wish to reopen.

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
