"""Alembic's entry: runs the revisions as the owner, and after the last one makes the functions; one transaction."""

from __future__ import annotations

from alembic import context

from layers.migrations.compare import OPTIONS
from layers.migrations.functions import make_functions
from layers.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, **OPTIONS)
with context.begin_transaction():
    # Two upgrades of one database: the second waits, and finds what the first one made.
    connection.exec_driver_sql("select pg_advisory_xact_lock(4490016)")
    connection.exec_driver_sql("set local search_path to public")
    context.run_migrations()
    if context.get_context().get_current_revision() == context.get_head_revision():
        make_functions(connection.connection.driver_connection)
