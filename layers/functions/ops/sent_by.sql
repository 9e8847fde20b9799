-- Whether a case is the holder's own: in a dataset that several send to, by the name before its number; else by the
-- dataset, whether it was sent or delivered as a file.
create or replace function ops.sent_by(one ops.event, name text, channel text, dataset text)
returns boolean
language sql immutable as $function$
    select one.dataset = $4 and ($3 <> 'open311' or starts_with(one.source_key, $2 || '/'))
$function$;
