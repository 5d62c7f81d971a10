"""How far the rollout has come: computers of each place that are heard, at risk, dropped, or never heard."""

from collections import Counter
from collections.abc import Iterator, Mapping

from schoolwatch_server.database.rollout import STATES
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.store.names import ROLLOUT
from schoolwatch_server.store.series import Judged

Tags = Mapping[tuple[Place, int], dict[str, str]]


def rows(by_school: Mapping[int, Mapping[str, int]], tags: Tags, at: float) -> Iterator[Judged]:
    """The points of all places; a school's computers count in its commune and province too."""
    total: dict[tuple[Place, int], Counter[str]] = {key: Counter() for key in tags}
    for school, states in by_school.items():
        its = tags.get(("school", school))
        if its is not None:
            for key in (
                ("school", school),
                ("commune", int(its["commune"])),
                ("province", int(its["province"])),
            ):
                total[key].update(states)
    for key, counts in total.items():
        for state in STATES:
            yield Judged(ROLLOUT, tags[key] | {"state": state}, at, float(counts[state]))
