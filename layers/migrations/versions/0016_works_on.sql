-- Whether an account works on a case: a handler on what lies with the own department, the command centre and the case
-- officer on everything, a grid worker and a leader on what is not sensitive or was reported by themselves.
create function ops.works_on(one ops.event, account text, role text, department text)
returns boolean
language sql stable as $function$
    select case $3
        when 'dispatcher' then true
        when 'case_officer' then true
        when 'department_handler' then $4 = one.department
        when 'grid_worker' then not one.is_sensitive or exists (
            select from ops.event_step as s where s.town_code = one.town_code and s.event_id = one.id
                and s.step = 'report' and s.account = $2)
        when 'leader' then not one.is_sensitive
        else false end
$function$
