-- Whether an account works on a case: a handler on what lies with the own department or that it was called to, the
-- command centre and the case officer on everything, a grid worker and a leader on what is not sensitive; and whoever
-- reported it, on that.
create or replace function ops.works_on(one ops.event, account text, role text, department text)
returns boolean
language sql stable as $function$
    select case $3
        when 'dispatcher' then true
        when 'case_officer' then true
        when 'department_handler' then coalesce($4 = one.department, false) or ops.called_to(one, $4)
            or ops.reported_by(one, $2)
        when 'grid_worker' then not one.is_sensitive or ops.reported_by(one, $2)
        when 'leader' then not one.is_sensitive
        else false end
$function$;
