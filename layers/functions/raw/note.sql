-- For the loader: it knows no session, so it says who runs it. What it does is kept apart by the role.
create or replace function raw.note(kind text, run_by text, subject text, detail jsonb) returns bigint
language plpgsql as $$
begin
    if kind not in ('export', 'quarantine_view', 'release', 'person_change') then
        raise exception 'entries of the kind % are not written from here', kind using errcode = 'insufficient_privilege';
    end if;
    return audit.write(kind, run_by, 'loader', null, subject, detail);
end $$;
comment on function raw.note is 'Write an entry about what the loader did, and who ran it.';
grant execute on function raw.note to atlas_loader;
