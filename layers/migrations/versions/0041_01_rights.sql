-- Who may do what. The web and the analysts read pub and nothing else; a definer function is the only way further.

alter default privileges revoke execute on functions from public;

grant usage on schema raw, vault, ops, pub to atlas_loader;
alter default privileges in schema raw, vault, ops, pub grant select, insert, update, delete on tables to atlas_loader;
alter default privileges in schema raw, vault, ops, pub grant usage, select on sequences to atlas_loader;

grant usage on schema pub to atlas_web, atlas_analyst;
alter default privileges in schema pub grant select on tables to atlas_web, atlas_analyst;

create sequence ops.row_id;
