-- What stands in the log for who has a receipt: told from it, and never the other way round.
create or replace function ops.of_receipt(receipt text) returns text
language sql immutable strict as $function$
    select 'receipt ' || left(encode(sha256(convert_to($1, 'UTF8')), 'hex'), 32)
$function$;
