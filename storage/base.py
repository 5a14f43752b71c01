"""What all tables share: the base class, the names of constraints, the type of an id."""

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
#: 64 bits on PostgreSQL; SQLite only counts up an INTEGER by itself.
Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All our tables.

    SQLite gives a deleted row's id to the next row unless told not to: a sender that still holds
    the old id would then settle somebody else's part.
    """

    metadata = MetaData(naming_convention=NAMES)


NEVER_REUSE = {"sqlite_autoincrement": True}
