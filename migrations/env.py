"""二本の移行（ward、desk）を、同じ手順で流す。どちらの線かは `benefit.store.migrate` が渡す。"""

from alembic import context
from sqlalchemy import Connection, Engine

from benefit.store.migrate import METADATA

line: str = context.config.attributes["line"]
given = context.config.attributes["connection"]
others = {name for key, metadata in METADATA.items() if key != line for name in metadata.tables} - set(
    METADATA[line].tables
)
others |= {f"alembic_version_{key}" for key in METADATA}


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA[line],
        version_table=f"alembic_version_{line}",
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        include_name=lambda name, kind, _parents: not (kind == "table" and name in others),
    )
    with context.begin_transaction():
        context.run_migrations()


if isinstance(given, Engine):
    with given.connect() as connection:
        run(connection)
        connection.commit()
else:
    run(given)
