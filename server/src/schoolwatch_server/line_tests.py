"""What the last speed tests of a school's line told, one for IPv4 and one for IPv6. Pure."""

from dataclasses import dataclass

from schoolwatch_server.state import State, find


@dataclass(frozen=True, slots=True)
class LineTest:
    """Bit/s and seconds; None is unknown. What was `limited` says nothing of the line: `limited_by` why."""

    family: str
    taken_at: float
    download: float | None
    upload: float | None
    limited_download: float | None
    limited_upload: float | None
    limited_by: str
    rtt_min: float | None
    rtt_loaded: float | None


_NUMBERS = ("download", "upload", "limited_download", "limited_upload", "rtt_min", "rtt_loaded")


def line_tests(state: State) -> tuple[LineTest, ...]:
    """From what is known of the device that tests the line.

    Of both directions the smallest round trip without load and the largest under load.
    """
    found: dict[str, dict[str, float]] = {}
    taken: dict[str, float] = {}
    limits: dict[str, set[str]] = {}
    for name in _NUMBERS:
        for key, (labels, value) in find(state.readings, f"bandwidth.{name}").items():
            family = labels.get("family", "")
            taken[family] = max(taken.get(family, 0.0), state.readings[key].taken_at)
            limits.setdefault(family, set()).update({labels["limited_by"]} if "limited_by" in labels else ())
            if value is not None:
                held = found.setdefault(family, {}).get(name, value)
                found[family][name] = min(held, value) if name == "rtt_min" else max(held, value)
    return tuple(
        LineTest(
            family=family,
            taken_at=taken[family],
            limited_by=" ".join(sorted(limits[family])),
            **{name: found.get(family, {}).get(name) for name in _NUMBERS},
        )
        for family in sorted(taken)
    )
