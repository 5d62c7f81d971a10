"""How every table of the server names its keys, and columns that many tables have."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER primary key


def id_() -> Column[int]:
    """The primary key of a table that counts its rows up."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def to(target: str, name: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """A column that points to another table's row: `to("school.id", "school_id")`."""
    return Column(name, Id, ForeignKey(target), nullable=nullable, index=index)


def one_open(name: str, column: str, end: str) -> Index:
    """At most one row of `column` whose `end` is still open."""
    still_open = text(f"{end} IS NULL")
    return Index(name, column, unique=True, sqlite_where=still_open, postgresql_where=still_open)
