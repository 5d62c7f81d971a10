"""The IPv6 ladder of one device, judged: each rung's standing, and the first that somebody must see to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from schoolwatch_contract import ladder as words
from schoolwatch_server.packs.pack import Slow
from schoolwatch_server.state import State, find, key, parse_key

Standing = Literal["ok", "slow", "failed", "absent", "unknown"]
"""`absent`: what the rung asks for is not there, and need not be (NAT64 where there is IPv4)."""


_RUNGS = frozenset(str(rung) for rung in range(len(words.RUNGS)))


@dataclass(frozen=True, slots=True)
class Target:
    """What came of one host or resolver, and in how many seconds."""

    name: str
    outcome: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """One rung, why it stands so, the seconds of its slowest target, and its targets."""

    rung: int
    standing: Standing
    reason: str
    seconds: float | None
    targets: tuple[Target, ...]


def ladder(state: State, slow: Slow) -> tuple[Step, ...]:
    """All rungs from 0; one of which nothing was heard is unknown."""
    targets = _targets(state)
    return tuple(_step(state, slow, rung, targets[rung]) for rung in range(len(words.RUNGS)))


def first(steps: tuple[Step, ...]) -> Step | None:
    """The lowest that failed; the lowest that is slow when none did."""
    bad = [step for standing in ("failed", "slow") for step in steps if step.standing == standing]
    return bad[0] if bad else None


def counted(known: Iterable[State], slow: Slow) -> list[tuple[Step | None, int]]:
    """How many devices have which first rung to see to, the lowest rung first, those with none last.

    Devices of which nothing is known of IPv6 are left out.
    """
    ladders = [ladder(state, slow) for state in known]
    firsts = [first(steps) for steps in ladders if any(step.standing != "unknown" for step in steps)]
    counts = Counter(map(_kind, firsts))
    alike = {_kind(step): step for step in firsts}
    return [(alike[kind], counts[kind]) for kind in sorted(counts)]


def _kind(step: Step | None) -> tuple[int, str, str]:
    return (len(words.RUNGS), "", "") if step is None else (step.rung, step.standing, step.reason)


def _step(state: State, slow: Slow, rung: int, targets: list[Target]) -> Step:
    labels = {"rung": str(rung)}
    reached, took = (state.readings.get(key(name, labels)) for name in ("ipv6.rung", "ipv6.rung.seconds"))
    told = state.facts.get(key("ipv6.rung.reason", labels))
    reason = "" if told is None else told.value or told.reason
    seconds = None if took is None else took.value
    value = None if reached is None else reached.value
    return Step(
        rung,
        _standing(value, reason, _is_slow(state, slow, rung, seconds)),
        reason,
        seconds,
        tuple(sorted(targets, key=lambda target: target.name)),
    )


def _standing(value: float | None, reason: str, is_slow: bool) -> Standing:
    if value is None:
        return "unknown"
    if value != 1:
        return "absent" if reason in words.OPTIONAL else "failed"
    return "slow" if is_slow else "ok"


def _is_slow(state: State, slow: Slow, rung: int, seconds: float | None) -> bool:
    """Too long, or on rung 8 so far behind IPv4 that programs give IPv6 up (RFC 8305 §5)."""
    behind = rung == 8 and any(each > slow.behind.value for each in _behind(state))
    return behind or (seconds is not None and seconds >= slow.answer.value)


def _behind(state: State) -> list[float]:
    """Seconds by which IPv6 took longer than IPv4 to connect, target by target."""
    took: dict[str, dict[str, float]] = {}
    for labels, value in find(state.readings, "ipv6.connect.seconds").values():
        if value is not None:
            took.setdefault(labels.get("target", ""), {})[labels.get("family", "")] = value
    return [each["6"] - each["4"] for each in took.values() if each.keys() >= {"4", "6"}]


def _targets(state: State) -> list[list[Target]]:
    """Those of each rung."""
    found: list[list[Target]] = [[] for _ in words.RUNGS]
    for text, outcome in state.facts.items():
        if not text.startswith("ipv6.target.outcome{") or outcome.value is None:
            continue
        labels = parse_key(text)[1]
        rung = labels.get("rung", "")
        if rung in _RUNGS:
            took = state.readings.get(key("ipv6.target.seconds", labels))
            seconds = None if took is None else took.value
            found[int(rung)].append(Target(labels.get("target", ""), outcome.value, seconds))
    return found
