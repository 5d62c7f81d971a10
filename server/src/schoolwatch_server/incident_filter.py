"""What somebody wants to see of the incidents, as an address says it that can be sent to a colleague."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args
from urllib.parse import urlencode

from schoolwatch_server.incident_states import STATES, State
from schoolwatch_server.severity import SEVERITIES

Shown = Literal[
    "active",
    "open",
    "acknowledged",
    "closed",
    "evidence",
    "resolved",
    "false_alarm",
    "standing",
    "withdrawn",
    "merged",
    "all",
]
"""`active` is open or acknowledged, `closed` any of the others."""

Order = Literal["action", "number"]
"""What needs action first (nobody took it, severe, new), or the newest first."""

SHOWN: tuple[Shown, ...] = get_args(Shown)

ME, NOBODY = "me", "none"
"""Instead of an account's name: whoever asks, and no one."""

TEXT_MAX = 100
"""Characters of each of its words."""


class FilterError(ValueError):
    """One of its words can't be; `field` says which."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Filter:
    """Each word narrows the list; an empty one doesn't. `late` and `exercise` are "yes" or "no".

    `message` is the id of a message that told of them.
    """

    state: Shown = "active"
    severity: str = ""
    rule: str = ""
    commune: str = ""
    school: str = ""
    device: str = ""
    assignee: str = ""
    late: str = ""
    exercise: str = ""
    message: str = ""
    q: str = ""
    order: Order = "action"

    @property
    def states(self) -> frozenset[State]:
        """The states that are wanted."""
        return states_of(self.state)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a state was chosen."""
        return replace(self, state="active", order="action") == Filter()

    def address(self, **more: object) -> str:
        """Its words as they stand in an address, with what else is asked there; without the usual ones."""
        usual = Filter()
        told = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        }
        return urlencode(told | {name: value for name, value in more.items() if value not in (None, "")})

    def of_state(self, state: Shown) -> "Filter":
        """The same of other states."""
        return replace(self, state=state)

    def in_order(self, order: Order) -> "Filter":
        """The same in another order."""
        return replace(self, order=order)


def states_of(shown: Shown) -> frozenset[State]:
    """The states behind a word."""
    active: frozenset[State] = frozenset({"open", "acknowledged"})
    if shown == "active":
        return active
    if shown == "closed":
        return frozenset(STATES) - active
    if shown == "all":
        return frozenset(STATES)
    return frozenset({shown})


def read(words: Mapping[str, str]) -> Filter:
    """From the words of an address; those of other things are left alone. Raises `FilterError`."""
    told = {field.name: clean(words.get(field.name, "")) for field in fields(Filter)}
    for name, text in told.items():
        if len(text) > TEXT_MAX:
            raise FilterError(name, f"at most {TEXT_MAX} characters")
    state = told.pop("state") or ("closed" if words.get("closed") == "true" else "active")
    shown = next((known for known in SHOWN if known == state), None)
    if shown is None:
        raise FilterError("state", f"one of {', '.join(SHOWN)}")
    if told["severity"] and told["severity"] not in SEVERITIES:
        raise FilterError("severity", f"one of {', '.join(SEVERITIES)}")
    for name in ("late", "exercise"):
        if told[name] not in ("", "yes", "no"):
            raise FilterError(name, "yes or no")
    order = told.pop("order") or "action"
    if order not in get_args(Order):
        raise FilterError("order", f"one of {', '.join(get_args(Order))}")
    return Filter(shown, order="number" if order == "number" else "action", **told)


def clean(text: str) -> str:
    """Typed text in one line, without what can't be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
