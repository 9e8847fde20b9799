-- Breakdowns of people that the release gate kept back.

create table pub.people_withheld (
    edition smallint not null,
    month integer not null,
    breakdown text collate "C" not null,
    digits smallint not null,
    reason text not null,
    constraint pk_people_withheld primary key (edition, month, breakdown, digits),
    constraint ck_people_withheld_reason check (reason in ('no_solution', 'attack'))
);
comment on table pub.people_withheld is 'A level that a breakdown of people is not published on; the levels above it are.';
comment on column pub.people_withheld.edition is 'edition of the grids';
comment on column pub.people_withheld.month is 'yyyymm';
comment on column pub.people_withheld.breakdown is 'declared breakdown';
comment on column pub.people_withheld.digits is 'length of the codes of that level';
comment on column pub.people_withheld.reason is 'no_solution: nothing adds up under the published totals; attack: a small count could be narrowed';
