drop table vault.opening, vault.visit_list;
