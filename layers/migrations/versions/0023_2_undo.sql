drop table vault.care_visit, vault.care_group;
drop index vault.ix_person_care;
alter table vault.identity drop mask_sealed;
delete from pub.people_withheld where reason = 'declared';
alter table pub.people_withheld drop constraint ck_people_withheld_reason;
alter table pub.people_withheld
    add constraint ck_people_withheld_reason check (reason in ('no_solution', 'attack'));
comment on column pub.people_withheld.reason is 'no_solution: nothing adds up under the published totals; attack: a small count could be narrowed';
