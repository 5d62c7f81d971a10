"""Secrets in the database: which columns are sealed, with which keys, and how they are sealed anew."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Engine, bindparam, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import KEYS, begin_read, begin_write
from schoolwatch_server.sealing import AlteredError, KeyUnusableError, MasterKeys

_STEP = 2000
"""Rows that are sealed anew in one transaction, so that intake is not kept waiting."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed secrets, in a table with one id; `purpose` is what the secret of an id is for."""

    column: Column[bytes]
    purpose: Callable[[int], str]


FRAME_KEY = Sealed(t.credential.c.frame_key, "frame key of device {}".format)
NEXT_KEY = Sealed(t.credential.c.next_key, "next frame key of device {}".format)

TOTP = Sealed(t.account.c.totp, "second factor of account {}".format)
TOTP_NEW = Sealed(t.account.c.totp_new, TOTP.purpose)
"""The secrets of a person's phone; the new one takes the other's place as it is."""

CONTACT_NAME = Sealed(t.contact.c.name, "name of contact {}".format)
CONTACT_PHONE = Sealed(t.contact.c.phone, "phone of contact {}".format)
CONTACT_EMAIL = Sealed(t.contact.c.email, "email of contact {}".format)

CHANNEL = Sealed(t.channel.c.address, "address of channel {}".format)
PING_URL = Sealed(t.notify_settings.c.ping_url, "address of the sign of life {}".format)

SEALED = (
    FRAME_KEY,
    NEXT_KEY,
    TOTP,
    TOTP_NEW,
    CONTACT_NAME,
    CONTACT_PHONE,
    CONTACT_EMAIL,
    CHANNEL,
    PING_URL,
)
"""Every sealed column: what is not here is lost when the master key is changed."""


def keys(conn: Connection) -> MasterKeys:
    """The master keys of this database, as `open_database` was told. Raises `KeyUnusableError`."""
    found = conn.get_execution_options().get(KEYS)
    if not isinstance(found, MasterKeys):
        raise KeyUnusableError("the master key's place is not known: set secrets.master_key_file")
    return found


def check(engine: Engine) -> None:
    """Sees that the master key is that of this database. Raises `KeyUnknownError`, `KeyUnusableError`."""
    with begin_read(engine) as conn:
        for one in SEALED:
            (id_,) = one.column.table.primary_key
            row = conn.execute(select(id_, one.column).where(one.column.is_not(None)).limit(1)).first()
            if row is not None:
                with suppress(AlteredError):  # that is the row's trouble, and told when it is needed
                    keys(conn).unseal(one.purpose(row[0]), row[1])


def seal_anew(engine: Engine) -> int:
    """Seals with the current key whatever another one had sealed; gives how many secrets.

    What can't be opened stops it, with what was done till then kept. Raises `SealError`.
    """
    return sum(_column(engine, one) for one in SEALED)


def _column(engine: Engine, one: Sealed) -> int:
    table = one.column.table
    (id_,) = table.primary_key
    after, done = -1, 0
    change = update(table).where(id_ == bindparam("key")).values({one.column: bindparam("sealed")})
    while True:
        with begin_write(engine) as conn:
            query = select(id_, one.column).where(id_ > after, one.column.is_not(None)).order_by(id_)
            rows = conn.execute(query.limit(_STEP).with_for_update()).all()
            if not rows:
                return done
            ring = keys(conn).now()
            old = [(key, sealed) for key, sealed in rows if not ring.is_current(sealed)]
            fresh = [
                {
                    "key": key,
                    "sealed": ring.seal(one.purpose(key), ring.unseal(one.purpose(key), sealed)),
                }
                for key, sealed in old
            ]
            if fresh:
                conn.execute(change, fresh)
            after, done = rows[-1][0], done + len(fresh)
