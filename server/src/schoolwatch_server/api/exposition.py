"""Numbers in the words of Prometheus and OpenMetrics, as whoever scrapes asks for them.

https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

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


def answer(families: Iterable[Family], accept: str, *, usual: Literal["plain", "open"]) -> Response:
    """The families in the format that `accept` (a header) asks for; `usual` is that of who asks for none."""
    # each is half a megabyte: who never scrapes doesn't hold them
    from prometheus_client.exposition import generate_latest
    from prometheus_client.openmetrics.exposition import generate_latest as generate_open

    is_open = _OPEN_TYPE in accept or (usual == "open" and "text/plain" not in accept)
    collected = _Collected(families)
    if is_open:
        return Response(generate_open(collected), media_type=OPEN)  # type: ignore[no-untyped-call]
    return Response(generate_latest(collected), media_type=PLAIN)


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
