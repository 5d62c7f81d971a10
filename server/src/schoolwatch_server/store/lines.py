"""InfluxDB's line protocol for what is measured and judged, as InfluxDB and VictoriaMetrics take it. Pure.

`measurement,tag=text field=number instant`, instants in nanoseconds. Numbers are always written as floats: a
field has one type for ever. https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_contract.records import Reading
from schoolwatch_server.store.names import FIELD, measurement_of
from schoolwatch_server.store.series import JUDGED_FIELDS, Judged

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED: Final = re.compile(r"([ ,=])")
_LABELS: Final = {name: frozenset(one.labels) for name, one in METRICS.items() if shown_alone(name)}
"""What is written of devices: catalogued metrics that may be shown of one computer, by catalogued labels."""


def tag(text: str) -> str:
    """A tag's text as it is found again: one line, no backslash, which not every engine takes anywhere.

    No backquote either: dashboards in PromQL put a name between two of them.
    """
    return _CONTROL.sub(" ", text).replace("\\", "/").replace("`", "'")


@lru_cache(maxsize=1 << 15)
def escaped(text: str) -> str:
    """A name or a tag's text as it stands in a line; nothing in it can end a tag or a line.

    A province's lines have some thousand different ones, each in many lines.
    """
    return _ESCAPED.sub(r"\\\1", tag(text))


def series(measurement: str, tags: Mapping[str, str]) -> str:
    """The beginning of a line; tags that say nothing are left out, as the protocol has no empty ones."""
    said = sorted((key, text) for key, text in tags.items() if text)
    return "".join((escaped(measurement), *(f",{escaped(key)}={escaped(text)}" for key, text in said)))


def device_lines(device: str, at: int, readings: Iterable[Reading]) -> Iterator[str]:
    """What a device measured at an instant (ns). Unknown is no point; of two of a series the larger is."""
    points: dict[str, float] = {}
    for reading in readings:
        value = reading.value
        if value is None or not math.isfinite(value) or reading.metric not in _LABELS:
            continue
        rest = _rest(reading.metric, tuple(reading.labels.items()))
        points[rest] = max(value, points.get(rest, -math.inf))
    of = f",device={escaped(device)}"
    for rest, value in points.items():
        measurement, comma, labels = rest.partition(",")
        yield f"{measurement}{of}{comma}{labels} {FIELD}={float(value)!r} {at}"


@lru_cache(maxsize=1 << 16)
def _rest(metric: str, labels: tuple[tuple[str, str], ...]) -> str:
    known = _LABELS[metric]
    return series(measurement_of(metric), {key: text for key, text in labels if key in known})


def judged_line(row: Judged, tags: Mapping[str, str], at: int) -> str | None:
    """What was judged, under its tags with the names of places beside the ids; None of no number at all."""
    numbers = ((name, getattr(row, name)) for name in JUDGED_FIELDS)
    said = [f"{name}={float(n)!r}" for name, n in numbers if n is not None and math.isfinite(n)]
    return f"{series(row.measurement, tags)} {','.join(said)} {at}" if said else None


def info_line(measurement: str, tags: Mapping[str, str], at: int) -> str:
    """That a school or device is there: `school_info`, `device_info`, whose number is 1."""
    return f"{series(measurement, tags)} {FIELD}=1.0 {at}"
