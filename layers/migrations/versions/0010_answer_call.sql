-- Answer a call for a grid above the one that calls. Who is first answers; the same account again does nothing.
create function pub.answer_call(low text, high text, call_id bigint, account text, for_code text, at timestamptz)
returns boolean
language plpgsql as $function$
declare
    one ops.call;
begin
    select c.* into one from ops.call as c where c.id = $3 for update;
    if not found or not auth.covers($1, $2) or $5 < $1 or $5 >= $2 or left(one.grid_code, length($5)) <> $5 then
        raise exception 'there is no call %', $3 using errcode = 'MQ001';
    end if;
    if one.answered_at is not null and one.answered_by <> $4 then
        raise exception 'this call was answered before' using errcode = 'MQ002';
    end if;
    update ops.call as c set answered_at = coalesce(c.answered_at, $6, clock_timestamp()), answered_by = $4,
        answered_code = coalesce(c.answered_code, $5)
    where c.town_code = one.town_code and c.id = one.id;
    perform pg_notify('calls', one.id::text);
    return one.answered_at is null;
end
$function$
