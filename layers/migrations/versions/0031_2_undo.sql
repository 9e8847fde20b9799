drop table raw.tombstone;
alter table raw.delivery drop constraint ck_delivery_sums_agree;
alter table raw.delivery drop n_forgotten;
alter table raw.delivery add constraint ck_delivery_sums_agree
    check (n_read = n_inserted + n_updated + n_unchanged + n_quarantined) not valid;
alter table audit.entry drop constraint ck_entry_kind;
alter table audit.entry add constraint ck_entry_kind check (
    kind in ('sign_in', 'sign_in_refused', 'sign_out', 'account', 'scope', 'session', 'person_read', 'rows_view',
        'export', 'quarantine_view', 'case_step', 'release')
) not valid;
