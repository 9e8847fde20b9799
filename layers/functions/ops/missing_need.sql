-- Name the first need of a step that is not met; nothing when all are.
create or replace function ops.missing_need(
    one ops.event, needs text[], account text, role text, own_department text, reason text, department text,
    until_at timestamptz, outcome text, duplicate_of bigint, moment timestamptz
)
returns text
language plpgsql stable as $function$
declare
    need text;
    is_met boolean;
begin
    foreach need in array needs loop
        is_met := case need
            when 'reason' then coalesce(btrim($6), '') <> ''
            when 'department' then coalesce($7, '') <> ''
            when 'until' then $8 is not null and $8 > $11
            when 'outcome' then coalesce($9, '') in ('settled', 'not_our_duty', 'duplicate', 'void')
            when 'original' then $10 is not null and $10 <> one.id and exists (
                select from ops.event as e where e.id = $10 and e.outcome is distinct from 'duplicate')
            when 'own' then case $4
                when 'department_handler' then $5 is not null and $5 = one.department
                when 'resident' then exists (
                    select from ops.event_step as s where s.town_code = one.town_code and s.event_id = one.id
                        and s.step = 'report' and s.account = $3)
                else true end
            when 'fresh' then not exists (
                select from ops.event_step as s where s.town_code = one.town_code and s.event_id = one.id
                    and s.state = 'dispatched')
            when 'other_hand' then $3 is distinct from (
                select s.account from ops.event_step as s where s.town_code = one.town_code and s.event_id = one.id
                    and s.step = 'finish' order by s.step_no desc limit 1)
            else false
        end;
        if not is_met then
            return need;
        end if;
    end loop;
    return null;
end
$function$;
