-- Rights of the people whose data is kept: who was forgotten stays so, whatever is delivered.

create table raw.tombstone (
    subject bytea not null,
    made_at timestamptz not null,
    why text not null,
    constraint pk_tombstone primary key (subject)
);
comment on table raw.tombstone is 'Somebody whose rows were deleted by request: what is delivered of the same subject is not taken in.';
comment on column raw.tombstone.subject is 'as in vault.person: a keyed token, from which nobody can be told';
comment on column raw.tombstone.made_at is 'when the rows were deleted';
comment on column raw.tombstone.why is 'number or date of the request; names nobody';
revoke all on raw.tombstone from atlas_loader;
grant select, insert on raw.tombstone to atlas_loader;

alter table raw.delivery add n_forgotten integer not null default 0;
alter table raw.delivery alter n_forgotten drop default;
comment on column raw.delivery.n_forgotten is 'rows of people who were deleted by request, not taken in';
alter table raw.delivery drop constraint ck_delivery_sums_agree;
alter table raw.delivery add constraint ck_delivery_sums_agree
    check (n_read = n_inserted + n_updated + n_unchanged + n_quarantined + n_forgotten);

alter table audit.entry drop constraint ck_entry_kind;
alter table audit.entry add constraint ck_entry_kind check (
    kind in ('sign_in', 'sign_in_refused', 'sign_out', 'account', 'scope', 'session', 'person_read', 'rows_view', 'person_change',
        'export', 'quarantine_view', 'case_step', 'release')
);
