"""What Alembic runs, on our connection and in our transaction: a change is whole or not at all."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
