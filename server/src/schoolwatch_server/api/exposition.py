"""Numbers in the words of Prometheus and OpenMetrics, as whoever scrapes asks for them.

https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from starlette.responses import Response

if TYPE_CHECKING:
    from prometheus_client import Metric

Labels = dict[str, str]
Sample = tuple[Labels, float]
Kind = Literal["counter", "gauge"]

PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_OPEN_TYPE: Final = "application/openmetrics-text"
_PLAIN_TYPE: Final = "text/plain"
_VERSIONS: Final = {_OPEN_TYPE: "1.0.0", _PLAIN_TYPE: "0.0.4"}
_WEIGHT: Final = re.compile(r"[01](\.\d{0,3})?")


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name; a counter's name is without `_total`. `unit` is the end of the name, or nothing.

    What is not known is no sample, and never 0.
    """

    name: str
    kind: Kind
    text: str
    samples: Iterable[Sample]
    unit: str = ""


def answer(families: Iterable[Family], accept: str) -> Response:
    """The families in the format that `accept` (a header) asks for."""
    # each is half a megabyte: who never scrapes doesn't hold them
    from prometheus_client.exposition import generate_latest
    from prometheus_client.openmetrics.exposition import generate_latest as generate_open

    collected, told = _Collected(families), {"Vary": "Accept"}
    if is_open(accept):
        return Response(generate_open(collected), media_type=OPEN, headers=told)  # type: ignore[no-untyped-call]
    return Response(generate_latest(collected), media_type=PLAIN, headers=told)


def is_open(accept: str) -> bool:
    """Whether a header asks for OpenMetrics 1.0, and for Prometheus' text not rather than for that.

    Who names neither, as curl (`*/*`), gets the text, as from every exporter of Prometheus.
    https://prometheus.io/docs/instrumenting/content_negotiation/
    """
    weights = {_OPEN_TYPE: 0.0, _PLAIN_TYPE: 0.0}
    for one in accept.lower().split(","):
        name, *said = (part.strip() for part in one.split(";"))
        parameters = dict(part.replace(" ", "").partition("=")[::2] for part in said)
        if name in weights and parameters.get("version", _VERSIONS[name]) == _VERSIONS[name]:
            weights[name] = max(weights[name], _weight(parameters.get("q", "1")))
    return weights[_OPEN_TYPE] > 0 and weights[_OPEN_TYPE] >= weights[_PLAIN_TYPE]


def _weight(text: str) -> float:
    """`0.5` of RFC 9110, 12.4.2; of what is none, 0."""
    return float(text) if _WEIGHT.fullmatch(text) else 0.0


class _Collected:
    """What the library asks for its metrics."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator["Metric"]:
        """One family after the other, each made when it is written."""
        from prometheus_client import Metric
        from prometheus_client.samples import Sample as Written

        for family in self._families:
            metric = Metric(family.name, family.text, family.kind, family.unit)
            name = f"{family.name}_total" if family.kind == "counter" else family.name
            metric.samples = [Written(name, labels, value) for labels, value in family.samples]
            yield metric
