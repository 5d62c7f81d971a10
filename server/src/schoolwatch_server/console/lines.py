"""The tables of a device's page: its readings and facts in words, in groups that a technician looks for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from schoolwatch_contract.catalogue import FACTS, METRICS, FactKind, Metric, SightingKind, probe_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.state import State, parse_key

_GROUPS: Final = {
    "security": (
        "antivirus",
        "firewall",
        "updates",
        "encryption",
        "backup",
        "accounts",
        "remote_access",
        "autorun",
        "activation",
    ),
    "machine": (
        "system",
        "hardware",
        "disk_health",
        "uptime",
        "use",
        "processor",
        "memory",
        "disk",
        "identity",
    ),
    "network": (
        "links",
        "wifi",
        "addresses",
        "routes",
        "resolvers",
        "ipv6",
        "quality",
        "bandwidth",
        "bandwidth_ledger",
        "sensors",
    ),
    "agent": ("",),
}
"""Probes by group, both in the order of the page; a probe that is in none is among the others."""

_GROUP_OF: Final = {probe: group for group, probes in _GROUPS.items() for probe in probes}
_RANK: Final = {probe: rank for rank, probe in enumerate(_GROUP_OF)}

_OWN: Final = {
    "probe.ok",
    "probe.seconds",
    "probe.failure",
    "ipv6.rung",
    "ipv6.rung.reason",
    "ipv6.rung.seconds",
    "ipv6.target.seconds",
    "ipv6.target.outcome",
    "identity.hint",
}
"""Shown in words of their own, not in the tables: digests say nothing to anyone, what changed does."""

_REASONS: Final = {
    "antivirus.source",
    "firewall.state",
    "updates.search",
    "accounts.source",
    "accounts.screen_lock",
    "remote_access.state",
    "backup.state",
    "disk.state",
}
"""Facts that say in words what a reading says, or stands for, or why it says nothing: they stand with it."""

_EXPLAINS: Final = re.compile(r"[;:,(]")
"""Where the catalogue's meaning goes on to explain; a table shows what comes before."""


_ENDED: Final = re.compile(r"ended with (-?\d+)")
_ERROR: Final = re.compile(r"error (0x[0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what, of which part of the machine, the value in words, and when."""

    name: str
    title: str
    labels: str
    value: str
    known: bool
    at: float


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together, under a title."""

    name: str
    title: str
    lines: tuple[Line, ...]


def readings(state: State, words: Words) -> tuple[Line, ...]:
    """The newest readings; one that is unknown says why, where a fact tells it."""
    lines = []
    for text, number in state.readings.items():
        name, labels = parse_key(text)
        if name in _OWN:
            continue
        metric = METRICS.get(name)
        value = words.amount(number.value, metric.unit if metric else "")
        if number.value is None:
            value = _instead(state, name, labels, words)
        lines.append(
            Line(
                name,
                title(name, metric, words),
                labels_in_words(labels, words),
                value,
                number.value is not None,
                number.taken_at,
            )
        )
    return _sorted(lines, METRICS)


def facts(state: State, words: Words) -> tuple[Line, ...]:
    """The facts that hold."""
    lines = []
    for text, fact in state.facts.items():
        name, labels = parse_key(text)
        if name in _OWN or name in _REASONS or fact.reason == "gone":
            continue
        value = _why(fact.reason, words) if fact.value is None else _value(name, fact.value, words)
        of = title(name, FACTS.get(name), words)
        lines.append(
            Line(name, of, labels_in_words(labels, words), value, fact.value is not None, fact.taken_at)
        )
    return _sorted(lines, FACTS)


def grouped(lines: Iterable[Line], words: Words) -> tuple[Group, ...]:
    """The lines by group, in the page's order; a group without lines is left out."""
    found: dict[str, list[Line]] = {group: [] for group in (*_GROUPS, "other")}
    for line in lines:
        found[_GROUP_OF.get(_probe(line.name), "other")].append(line)
    return tuple(
        Group(group, words.text(f"group.{group}"), tuple(held)) for group, held in found.items() if held
    )


def title(name: str, kind: Metric | FactKind | SightingKind | None, words: Words) -> str:
    """The catalogue's meaning, up to where it explains; what watches found has a text of its own."""
    if kind is None:
        return words.known(f"found.{name}", name)
    return _EXPLAINS.split(words.pick(kind))[0].strip()


def labels_in_words(labels: dict[str, str], words: Words) -> str:
    """`IPv6 · eth0 · toàn cầu`: what tells readings apart, in words where a label has them."""
    return words.labels({key: _label(key, value, words) for key, value in labels.items()})


def _label(key: str, value: str, words: Words) -> str:
    """Some labels have words of their own: a private address is another thing than a private network."""
    match key:
        case "limited_by":
            return words.known(f"limited_by.{value}", value)
        case "reason" | "state":
            return words.known(f"value.{value}", value)
        case "scope":
            return words.known(f"address_scope.{value}", value)
        case "profile":
            return words.known(f"firewall_profile.{value}", value)
    return words.known(f"label.{value}", value)


def _value(name: str, value: str, words: Words) -> str:
    """`tự cấu hình (SLAAC) + DHCP`: a card may have addresses that came in several ways."""
    if name == "address.source":
        return " + ".join(words.known(f"address_source.{part}", part) for part in value.split("+"))
    return words.known(f"value.{value}", value)


def _instead(state: State, name: str, labels: dict[str, str], words: Words) -> str:
    """What to say of a reading without a number: the word of its fact (a lock that is off), or the reason."""
    subject, _, quantity = name.partition(".")
    reason = ""
    for text, fact in state.facts.items():
        about, marks = parse_key(text)
        is_of_it = about.partition(".")[0] == subject and _speaks_of(marks, quantity, labels)
        if not is_of_it or fact.reason == "gone":
            continue
        if fact.value is None:
            reason = reason or fact.reason
        elif about in _REASONS and fact.value != "answered":
            return words.known(f"value.{fact.value}", fact.value)
    return _why(reason, words)


def _speaks_of(marks: dict[str, str], quantity: str, labels: dict[str, str]) -> bool:
    """A fact speaks of a reading that has its labels, or that one of its labels names."""
    if marks.get("setting") == quantity:
        return marks.items() >= labels.items()
    return marks == {"source": quantity} or bool(labels and marks == labels)


def _why(reason: str, words: Words) -> str:
    unknown = words.text("unknown")
    if code := _ENDED.fullmatch(reason):
        return f"{unknown} ({words.text('fact_reason.ended', code=code[1])})"
    if error := _ERROR.fullmatch(reason):
        return f"{unknown} ({words.text('fact_reason.error', code=error[1])})"
    return f"{unknown} ({words.known(f'fact_reason.{reason}', reason)})" if reason else unknown


def _sorted(lines: list[Line], order: Iterable[str]) -> tuple[Line, ...]:
    place = {name: index for index, name in enumerate(order)}

    def rank(line: Line) -> tuple[int, int, str]:
        return _RANK.get(_probe(line.name), len(_RANK)), place.get(line.name, len(place)), line.labels

    return tuple(sorted(lines, key=rank))


def _probe(name: str) -> str:
    """The probe that sends it; of the operating system's support, which no probe sends, that of its name."""
    probe = probe_of("os.name" if name == "os.support" else name)
    return "?" if probe is None else probe
