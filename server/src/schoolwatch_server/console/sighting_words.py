"""What a gateway saw on its network, in words: who did it, what it offered, who saw it and where."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schoolwatch_server.console.words import Words
from schoolwatch_server.rules.kept import MANY, SHORT
from schoolwatch_server.serious.evidence import Seen

_PSEUDONYM: Final = 32
_ORDER: Final = (
    *("server", "address", "role", "router", "resolvers", "prefixes", "gives", "before"),
    *("by", "was", "was_oui", "sender", "changes", "silence", "answers", "askers"),
    *("lifetime", "preference", "flags", "mtu", "relayed"),
)
"""What is told first; what is not named here comes last."""

_SECONDS: Final = frozenset({"lifetime", "silence"})


@dataclass(frozen=True, slots=True)
class Names:
    """Device (by its internal id) → what it is called; pseudonym → the device behind it, if that is known."""

    devices: Mapping[int, str]
    behind: Mapping[str, int]

    def of(self, pseudonym: str) -> str:
        """The beginning of a pseudonym, with the name of its device; any other text as it is."""
        name = self.devices.get(self.behind.get(pseudonym, 0), "")
        short = f"{pseudonym[:SHORT]}…" if _is_pseudonym(pseudonym) else pseudonym
        return f"{name} ({short})" if name else short


def details(seen: Seen, words: Words, names: Names) -> Iterator[tuple[str, str]]:
    """Name and value, in the order in which one who looks for the device needs them."""
    told = dict(seen.detail)
    yield words.text("detail.subject"), names.of(seen.subject)
    if _is_pseudonym(seen.subject):
        yield words.text("detail.find"), f"sudo schoolwatch-agent lan {seen.subject[:SHORT]}"
    if prefix := told.pop("oui", ""):
        yield words.text("detail.oui"), _maker(prefix, words)
    nic = told.pop("nic", "")
    told.pop(MANY, None)
    for name in sorted(told, key=lambda one: _ORDER.index(one) if one in _ORDER else len(_ORDER)):
        yield words.known(f"detail.{name}", name), _value(name, told[name], words, names)
    where = " · ".join(part for part in (names.devices.get(seen.device, ""), nic) if part)
    if where:
        yield words.text("detail.seen_by"), where


def announced(says: Iterable[tuple[str, str]], words: Words, names: Names) -> str:
    """`Bộ định tuyến được phát: 10.0.0.1; DNS được phát: 8.8.8.8`; a device by its pseudonym alone."""
    told = ((name, _value(name, values, words, names)) for name, values in says)
    return "; ".join(
        value if name == "subject" else f"{words.known(f'detail.{name}', name)}: {value}"
        for name, value in told
    )


def _value(name: str, value: str, words: Words, names: Names) -> str:
    if name in _SECONDS and value.isdecimal():
        return words.span(float(value)) or words.amount(float(value), "s")
    if name.endswith("oui"):
        return _maker(value, words)
    if name == "before":
        told = [one.partition(" ")[::2] for one in value.split(" · ")]
        if all(each == "subject" or each in _ORDER for each, _ in told):
            return announced(told, words, names)
        return " ".join(  # as it was kept once, without what each is
            words.known(f"sighted.gives.{one}", names.of(one)) for one in value.split()
        )
    return ", ".join(words.known(f"sighted.{name}.{one}", names.of(one)) for one in value.split())


def _maker(prefix: str, words: Words) -> str:
    """A maker's three bytes; phones and virtual machines make up an address, which says so in one bit."""
    try:
        is_made_up = bool(int(prefix[:2], 16) & 2)
    except ValueError:
        return prefix
    return words.text("detail.oui_made_up", prefix=prefix) if is_made_up else prefix


def _is_pseudonym(text: str) -> bool:
    return len(text) == _PSEUDONYM and all(c in "0123456789abcdef" for c in text)
