"""The same schema for everybody who is measured: tables of ten columns, each with an index, a unique constraint and a check."""

COLUMNS = (
    ("owner", "VARCHAR(40) NOT NULL", "String(40), nullable=False"),
    ("title", "VARCHAR(200) NOT NULL", "String(200), nullable=False"),
    ("note", "TEXT", "Text"),
    ("size", "INTEGER NOT NULL DEFAULT 0", "Integer, nullable=False, server_default=text('0')"),
    ("done", "BOOLEAN NOT NULL DEFAULT false", "Boolean, nullable=False, server_default=text('false')"),
    ("price", "NUMERIC(10, 2)", "Numeric(10, 2)"),
    ("made_at", "TIMESTAMP DEFAULT CURRENT_TIMESTAMP", "TIMESTAMP, server_default=text('CURRENT_TIMESTAMP')"),
    ("due_on", "DATE", "Date"),
    ("place", "BIGINT", "BigInteger"),
)


def ddl(count):
    """Returns the statements that make so many tables, in SQL that both databases understand."""
    statements = []
    for number in range(count):
        columns = ", ".join(f"{name} {sql}" for name, sql, _ in COLUMNS)
        statements.append(
            f"CREATE TABLE thing_{number} (id INTEGER NOT NULL PRIMARY KEY, {columns}, "
            f"CONSTRAINT uq_thing_{number} UNIQUE (owner, title), CONSTRAINT ck_thing_{number} CHECK (size >= 0));\n"
            f"CREATE INDEX idx_thing_{number} ON thing_{number} (due_on);\n"
        )
    return "BEGIN;\n" + "".join(statements) + "COMMIT;\n"


def metadata(count):
    """Returns the same tables as a module of SQLAlchemy."""
    columns = ", ".join(f'Column("{name}", {python})' for name, _, python in COLUMNS)
    return (
        "from sqlalchemy import *\n\nmetadata = MetaData()\n\n"
        f"for number in range({count}):\n    Table(\n"
        f'        f"thing_{{number}}", metadata, Column("id", Integer, primary_key=True, autoincrement=False), {columns},\n'
        '        UniqueConstraint("owner", "title", name=f"uq_thing_{number}"),\n'
        '        CheckConstraint("size >= 0", name=f"ck_thing_{number}"), Index(f"idx_thing_{number}", "due_on"),\n    )\n'
    )
