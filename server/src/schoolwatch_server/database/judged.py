"""Series of what the server judged: indicator values with their numerator, denominator and coverage."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, and_, bindparam, false, func, not_, or_, select

from schoolwatch_server.database import judged_log
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import insert_new, upsert
from schoolwatch_server.store.series import ENDED, JUDGED_FIELDS, Judged

_s, _v = t.judged_series.c, t.judged.c

_TOGETHER = 5000
"""Series in one query: databases take so many parameters."""


def write(conn: Connection, rows: Sequence[Judged]) -> None:
    """Writes judged values; the same series and moment again replaces, so writing twice changes nothing."""
    names = sorted({(row.measurement, _text(row.tags)) for row in rows})
    insert_new(
        conn,
        t.judged_series,
        [{"measurement": measurement, "tags": tags} for measurement, tags in names],
        ("measurement", "tags"),
    )
    ids = _ids(conn, names)
    judged_log.note(conn, ((ids[row.measurement, _text(row.tags)], row.at) for row in rows))
    upsert(
        conn,
        t.judged,
        [
            {
                "series_id": ids[row.measurement, _text(row.tags)],
                "at": row.at,
                "value": row.value,
                "numerator": row.numerator,
                "denominator": row.denominator,
                "coverage": row.coverage,
                "pack": row.pack,
            }
            for row in rows
        ],
    )


def read(
    conn: Connection, measurement: str, tags: Mapping[str, str], start: float, end: float
) -> tuple[Judged, ...]:
    """Values in [start, end) of the series whose tags include these, oldest first."""
    series = _with_tags(conn, measurement, tags)
    return _values(conn, series, _v.series_id.in_(list(series)), _v.at >= start, _v.at < end)


def latest(conn: Connection, measurement: str, tags: Mapping[str, str]) -> tuple[Judged, ...]:
    """The newest value of each series whose tags include these."""
    return _latest(conn, _with_tags(conn, measurement, tags))


def latest_of(conn: Connection, measurement: str, tags: Sequence[Mapping[str, str]]) -> tuple[Judged, ...]:
    """The newest value of each series whose tags are exactly one of these: found by key."""
    of_text = {_text(each): each for each in tags}
    asked = {"measurement": measurement, "tags": list(of_text)}
    return tuple(
        Judged(measurement, of_text[text], *values) for text, *values in conn.execute(_LATEST_OF, asked)
    )


def series(conn: Connection) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Measurement and tags of every series: 50,000 of a province, a tenth of a second."""
    for measurement, text in conn.execute(select(_s.measurement, _s.tags)):
        yield measurement, tags_of(text)


def newest_of(
    conn: Connection, wanted: Iterable[tuple[str, Mapping[str, str]]], after: float
) -> Iterator[Judged]:
    """The newest value of each of these series, where it is not older than `after`."""
    by: dict[str, list[Mapping[str, str]]] = {}
    for measurement, tags in wanted:
        by.setdefault(measurement, []).append(tags)
    for measurement, its in by.items():
        for start in range(0, len(its), _TOGETHER):
            rows = latest_of(conn, measurement, its[start : start + _TOGETHER])
            yield from (row for row in rows if row.at >= after)


def numbered(
    conn: Connection, measurement: str, tags: Sequence[Mapping[str, str]]
) -> dict[int, Mapping[str, str]]:
    """The ids of the series whose tags are exactly one of these."""
    of_text = {_text(each): each for each in tags}
    query = select(_s.id, _s.tags).where(_s.measurement == measurement, _s.tags.in_(list(of_text)))
    return {id_: of_text[text] for id_, text in conn.execute(query)}


def _latest(conn: Connection, series: Mapping[int, Judged]) -> tuple[Judged, ...]:
    return _values(conn, series, _s.id.in_(list(series)), within=_NEWEST)


_newest = select(func.max(_v.at)).where(_v.series_id == _s.id).correlate(t.judged_series).scalar_subquery()
_NEWEST = t.judged_series.join(t.judged, and_(_v.series_id == _s.id + 0, _v.at == _newest))
"""One look into the key of each series, however long it has become; "+ 0" as in history.py."""

_LATEST_OF = (
    select(_s.tags, _v.at, _v.value, _v.numerator, _v.denominator, _v.coverage, _v.pack)
    .select_from(_NEWEST)
    .where(_s.measurement == bindparam("measurement"), _s.tags.in_(bindparam("tags", expanding=True)))
    .order_by(_v.at, _v.series_id)
)


def with_tag(name: str, value: str) -> ColumnElement[bool]:
    """Whether a series has this tag, by the text of it as `_text` writes it."""
    return _s.tags.contains(_text({name: value})[1:-1], autoescape=True)


def tags_of(text: str) -> dict[str, str]:
    """The tags of a series, as they are kept."""
    return _decode(text)


def _values(
    conn: Connection,
    series: Mapping[int, Judged],
    *conditions: ColumnElement[bool],
    within: FromClause = t.judged,
) -> tuple[Judged, ...]:
    query = select(_v.series_id, _v.at, _v.value, _v.numerator, _v.denominator, _v.coverage, _v.pack)
    rows = conn.execute(query.select_from(within).where(*conditions).order_by(_v.at, _v.series_id))
    return tuple(
        Judged(series[id_].measurement, series[id_].tags, *values) for id_, *values in map(tuple, rows)
    )


def _with_tags(conn: Connection, measurement: str, tags: Mapping[str, str]) -> dict[int, Judged]:
    wanted = tags.items()
    # of a province's 10,000 series six need to be parsed
    said = [with_tag(name, value) for name, value in wanted]
    rows = conn.execute(select(_s.id, _s.tags).where(_s.measurement == measurement, *said))
    held = {id_: tags_of(text) for id_, text in rows}
    return {id_: Judged(measurement, its, 0.0, None) for id_, its in held.items() if wanted <= its.items()}


def _ids(conn: Connection, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of these series alone: a province has tens of thousands."""
    found: dict[tuple[str, str], int] = {}
    for measurement in {name for name, _ in names}:
        texts = [text for name, text in names if name == measurement]
        query = select(_s.tags, _s.id).where(_s.measurement == measurement, _s.tags.in_(texts))
        found |= {(measurement, tags): id_ for tags, id_ in conn.execute(query)}
    return found


def _text(tags: Mapping[str, str]) -> str:
    """Tags as one text, the same whatever their order."""
    return _encode(dict(tags))


_decode = msgspec.json.Decoder(dict[str, str]).decode
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Fallen:
    """A place whose newest value misses a target, or is not known. It was met at `met_at`, last (UTC; None:
    not since then).
    """

    tags: Mapping[str, str]
    at: float
    value: float | None
    met_at: float | None


def fallen(
    conn: Connection, measurement: str, tags: Mapping[str, str], target: float, *, higher: bool, after: float
) -> tuple[Fallen, ...]:
    """The series with these tags that are not known to meet a target now, and when since `after` they did.

    `higher` is whether more is better. A series that has ended is none of them.
    """
    earlier = t.judged.alias().c
    met = earlier.value >= target if higher else earlier.value <= target
    missed = _v.value < target if higher else _v.value > target
    met_at = (
        select(func.max(earlier.at))
        .where(earlier.series_id == _s.id, earlier.at >= after, met)
        .correlate(t.judged_series)
        .scalar_subquery()
    )
    query = (
        select(_s.tags, _v.at, _v.value, met_at.label("met_at"))
        .select_from(_NEWEST)
        .where(_s.measurement == measurement, *(with_tag(*tag) for tag in tags.items()), _v.at >= after)
        .where(or_(missed, _v.value.is_(None)), not_(and_(*map(_is, JUDGED_FIELDS, ENDED))))
    )
    rows = ((tags_of(row.tags), row.at, row.value, row.met_at) for row in conn.execute(query))
    return tuple(Fallen(*row) for row in rows)


def _is(name: str, number: float | None) -> ColumnElement[bool]:
    return _v[name].is_(None) if number is None else func.coalesce(_v[name] == number, false())
