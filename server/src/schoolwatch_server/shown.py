"""What of a device is shown to whom; the one place that decides it, for pages and for the API alike."""

from schoolwatch_contract.catalogue import probe_of, shown_alone
from schoolwatch_server.scope import Scope
from schoolwatch_server.state import State, parse_key

AT_SCHOOL = frozenset({"activation"})
"""Probes whose facts of one computer are the school's own affair; above it there are counts."""


def may_show(name: str, scope: Scope) -> bool:
    """Whether a metric or fact of one computer is shown to somebody with this scope."""
    return shown_alone(name) and (scope.level == "school" or probe_of(name) not in AT_SCHOOL)


def visible(state: State, scope: Scope) -> State:
    """What somebody with this scope sees of a device."""
    return State(
        {k: v for k, v in state.readings.items() if may_show(parse_key(k)[0], scope)},
        {k: t for k, t in state.facts.items() if may_show(parse_key(k)[0], scope)},
    )
