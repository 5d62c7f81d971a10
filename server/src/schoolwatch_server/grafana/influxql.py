"""A panel's query in InfluxQL, as Grafana sends it to InfluxDB 1.8, 2, 3 and to the embedded store."""

from collections.abc import Mapping
from typing import Final

from schoolwatch_server.grafana.spec import CHOICE, GIVEN, Marks, Query, Variable
from schoolwatch_server.texts import Language

MARKS_MAX: Final = 500
"""Lines across one graph: of more nobody reads any."""


LISTED: Final = "time > now() - 2d"
"""Of lists: else an InfluxDB fills them with all that ever was, a place's old names too. 1.x and 2 give what
is in the same piece of their storage, of a week; from this server they always have what there is now."""


def query(asked: Query) -> str:
    """Grafana puts the range for `$timeFilter`, and the length of an interval for `$__interval`."""
    where = [*map(_compared, asked.where.items()), "$timeFilter"]
    if asked.told_by:
        return _current(asked, " AND ".join(where))
    value = f'{asked.function}("{asked.field}")' + (f' AS "{asked.name}"' if asked.name else "")
    text = f'{value} FROM "{asked.measurement}" WHERE {" AND ".join(where)}'
    groups = [f'"{tag}"' for tag in asked.apart]
    if asked.is_over_time:
        groups.insert(0, "time($__interval)")
    if groups:
        text += f" GROUP BY {', '.join(groups)}"
    if asked.is_over_time:
        text += " fill(none)"
    return f"SELECT {text} tz('Asia/Ho_Chi_Minh')"


def _current(asked: Query, where: str) -> str:
    """The newest row of each: `last()` would pass over one without a number and tell of an older one."""
    columns = f'"{asked.field}" AS "{asked.name}"'
    if asked.name:
        columns = ", ".join((columns, *(f'"{one}"' for one in asked.told_by)))
    else:
        columns = f'"{asked.field}" + 0 * "{asked.told_by[0]}" AS "{asked.field}"'
    text = f'{columns} FROM "{asked.measurement}" WHERE {where}'
    if asked.apart:
        text += " GROUP BY " + ", ".join(f'"{tag}"' for tag in asked.apart)
    return f"SELECT {text} ORDER BY time DESC LIMIT 1 tz('Asia/Ho_Chi_Minh')"


def values(variable: Variable) -> str:
    """What fills a variable's list."""
    text = f'SHOW TAG VALUES FROM "{variable.measurement}" WITH KEY = "{variable.tag}"'
    where = _where(variable.where)
    return f"{text} WHERE {' AND '.join(filter(None, (where, LISTED)))}"


def listed(variable: Variable) -> str:
    """How Grafana finds what is shown and what it stands for in a value of a list; "": all of it is both."""
    return CHOICE if variable.is_choice else ""


def marks(asked: Marks) -> str:
    """The newest points, with their texts as columns."""
    columns = ("value", asked.text.vi, asked.text.en, *asked.tags)
    where = " AND ".join([*map(_compared, asked.where.items()), "$timeFilter"])
    named = ", ".join(f'"{one}"' for one in columns)
    text = f'{named} FROM "{asked.measurement}" WHERE {where}'
    return f"SELECT {text} ORDER BY time DESC LIMIT {MARKS_MAX}"


def alias(asked: Query, language: Language) -> str:
    """How a series is called in the legend."""
    label = () if asked.label is None else (asked.label.of(language),)
    return " · ".join((*label, *(f"$tag_{tag}" for tag in asked.names(language)))) or "$col"


def _where(where: Mapping[str, str]) -> str:
    return " AND ".join(map(_compared, where.items()))


def _compared(one: tuple[str, str]) -> str:
    tag, value = one
    if value == GIVEN:
        return f"\"{tag}\" != ''"
    if value.startswith("$"):
        return f'"{tag}" =~ /^${{{value[1:]}:regex}}$/'
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"\"{tag}\" = '{escaped}'"
