"""How many computers of a place say that Windows and Office are activated; nothing of licences."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, Label, and_, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope

_PRODUCTS = {"windows": t.state.c.windows_activated, "office": t.state.c.office_activated}
_SAID = (True, False, None)

Numbers = tuple[int, ...]
"""What `columns` count."""


@dataclass(frozen=True, slots=True)
class Activated:
    """Of the computers that were heard in the window: activated, not, or without an answer.

    `untold` may have no such product, as Linux has none, or did not tell: it is neither good nor bad.
    """

    product: str
    yes: int
    no: int
    untold: int = 0


def columns(heard_after: float) -> tuple[Label[int], ...]:
    """Of each product how many say yes, how many no, and how many neither."""
    return tuple(
        func.sum(
            case((and_(column.is_(said), t.state.c.taken_at >= heard_after), 1), else_=0), type_=Integer
        ).label(f"{product}_{said}".lower())
        for product, column in _PRODUCTS.items()
        for said in _SAID
    )


def added(rows: Iterable[Numbers]) -> tuple[Activated, ...]:
    """Windows and Office, of all the rows together."""
    step = len(_SAID)
    sums = [sum(numbers) for numbers in zip(*rows, strict=True)] or [0] * (step * len(_PRODUCTS))
    return tuple(
        Activated(product, *sums[step * place : step * (place + 1)])
        for place, product in enumerate(_PRODUCTS)
    )


def counts(conn: Connection, scope: Scope, heard_after: float) -> tuple[Activated, ...]:
    """Windows and Office in a place."""
    query = (
        select(*columns(heard_after))
        .select_from(t.state)
        .join(
            t.membership,
            and_(t.membership.c.device_id == t.state.c.device_id, t.membership.c.valid_to.is_(None)),
        )
        .join(t.school, t.school.c.id == t.membership.c.school_id)
        .where(within(scope))
    )
    return added([tuple(int(number or 0) for number in conn.execute(query).one())])
