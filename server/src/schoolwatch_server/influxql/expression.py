"""The columns of a SELECT: functions of fields, fields, and sums with these."""

import itertools
from typing import Final, get_args

from schoolwatch_server.influxql.errors import QueryError, shown
from schoolwatch_server.influxql.query import Binary, Call, Column, Expression, Field, Function, Number
from schoolwatch_server.influxql.reader import Reader

COLUMNS_MAX: Final = 50
DEPTH_MAX: Final = 30

FUNCTIONS: Final = get_args(Function)


def columns(reader: Reader) -> tuple[Column, ...]:
    """What stands before FROM. Raises `QueryError`."""
    found = [_column(reader)]
    while reader.took(","):
        found.append(_column(reader))
        if len(found) > COLUMNS_MAX:
            raise QueryError(f"at most {COLUMNS_MAX} columns")
    parts = {isinstance(part, Field) for column in found for part in leaves(column.expression)}
    if not parts:
        raise QueryError("at least one field or function in SELECT")
    if len(parts) == 2:
        raise QueryError("mixing aggregate and non-aggregate queries is not supported")
    return tuple(_told_apart(found))


def leaves(expression: Expression) -> tuple[Call | Field, ...]:
    """The functions and fields of an expression, in their order."""
    match expression:
        case Binary(_, left, right):
            return (*leaves(left), *leaves(right))
        case Number():
            return ()
    return (expression,)


def is_raw(wanted: tuple[Column, ...]) -> bool:
    """Whether points themselves are asked for, rather than functions of them."""
    return any(isinstance(leaf, Field) for column in wanted for leaf in leaves(column.expression))


def _column(reader: Reader) -> Column:
    if reader.says("*"):
        raise QueryError("SELECT * is not answered here: name the fields", reader.next.at)
    expression = _sum(reader)
    if reader.took("AS"):
        return Column(expression, reader.name("a name"))
    names = [leaf.function if isinstance(leaf, Call) else leaf.name for leaf in leaves(expression)]
    return Column(expression, "_".join(names))


def _told_apart(found: list[Column]) -> list[Column]:
    """Names that come twice are numbered."""
    taken = {"time"}
    made = []
    for column in found:
        names = itertools.chain([column.name], (f"{column.name}_{i}" for i in itertools.count(1)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        made.append(Column(column.expression, name))
    return made


def _sum(reader: Reader) -> Expression:
    found = _product(reader)
    while reader.joins("+", "-"):
        sign = reader.step().text
        found = Binary(sign, found, _product(reader))  # type: ignore[arg-type]
    return found


def _product(reader: Reader) -> Expression:
    found = _leaf(reader)
    while reader.joins("*", "/"):
        sign = reader.step().text
        found = Binary(sign, found, _leaf(reader))  # type: ignore[arg-type]
    return found


def _leaf(reader: Reader) -> Expression:
    if reader.took("("):
        reader.depth += 1
        if reader.depth > DEPTH_MAX:
            raise QueryError("too many parentheses", reader.next.at)
        found = _sum(reader)
        reader.take(")")
        reader.depth -= 1
        return found
    if reader.took("-"):
        return Number(-reader.number())
    if reader.next.kind == "number":
        return Number(reader.number())
    token = reader.next
    name = reader.name("a field or a function")
    if token.kind == "quoted" or not reader.says("("):
        reader.cast()
        return Field(name)
    function = name.lower()
    if function not in FUNCTIONS:
        raise QueryError(f"{shown(name)}() is not answered here; these are: {', '.join(FUNCTIONS)}", token.at)
    reader.take("(")
    if reader.says("*", "/"):
        raise QueryError(f"{function}() of all fields is not answered here: name one", reader.next.at)
    field = reader.column("a field")
    if reader.says("("):
        raise QueryError(f"a function within {function}() is not answered here: name a field", token.at)
    reader.take(")")
    return Call(function, field)  # type: ignore[arg-type]
