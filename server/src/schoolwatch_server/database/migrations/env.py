"""What Alembic runs: the steps, in the transaction that `database.engine.migrate` began."""

from alembic import context

from schoolwatch_server.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
