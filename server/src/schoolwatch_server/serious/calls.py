"""Numbers to tap on a telephone, and whom to call first. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

Who = Literal["isp", "it_contact", "deputy"]

_ABOUT_LINES = frozenset(
    {"bandwidth", "quality", "line", "lines", "isp", "outage", "ipv6", "resolvers", "routes"}
)
_EXTENSION = re.compile(r"(?:,? ?(?:máy lẻ|máy nhánh|ext\.?|x) ?:? ?)([0-9]{1,6})$", re.IGNORECASE)
_SHORT = range(3, 7)
"""Digits of a short number such as 113 or 18001."""

_NATIONAL = range(9, 11)
"""Digits of a mobile (9) and of a fixed line's number (9 or 10) behind the nought or the country's code."""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to call: `number` as it was written, `link` a `tel:` address, empty where it can't be dialled.

    `subscriber` is what the provider asks for first; `count` says for how many schools it stands.
    """

    who: Who
    name: str = ""
    number: str = ""
    link: str = ""
    email: str = ""
    subscriber: str = ""
    count: int = 1


def tel(written: str) -> str:
    """`tel:+84912345678` of `0912 345 678` (RFC 3966); empty for what nobody can dial.

    Free and paid lines (1800, 1900) and short numbers have no country's code: they are dialled as they stand.
    """
    extension = _EXTENSION.search(written)
    main = written[: extension.start()] if extension else written
    digits = re.sub(r"[^0-9]", "", main)
    ending = f";ext={extension[1]}" if extension else ""
    if re.sub(r"[0-9 ().+-]", "", main):
        return ""
    if digits.startswith(("1800", "1900")) or (len(digits) in _SHORT and not digits.startswith("0")):
        return f"tel:{digits}{ending}"
    is_abroad = main.strip().startswith("+")
    if is_abroad and not digits.startswith("84"):
        return f"tel:+{digits}{ending}"
    rest = digits.removeprefix("0084")
    if rest == digits and digits.startswith("84") and (is_abroad or len(digits) - 2 in _NATIONAL):
        rest = digits[2:]
    if rest == digits and not digits.startswith("0"):
        return ""
    rest = rest.removeprefix("0")
    return f"tel:+84{rest}{ending}" if len(rest) in _NATIONAL else ""


def is_about_a_line(rule: str, evidence: tuple[str, ...]) -> bool:
    """Whether the provider is the one to call first: by the subjects of the rule's evidence, or its name."""
    return not rule.startswith("site") and bool(_ABOUT_LINES & {*evidence, *rule.split("_")})


def in_order(calls: tuple[Call, ...], *, line_first: bool) -> tuple[Call, ...]:
    """The IT contact, the deputy, then the provider; of a line's trouble the provider first."""
    order = ("isp", "it_contact", "deputy") if line_first else ("it_contact", "deputy", "isp")
    return tuple(sorted(calls, key=lambda call: order.index(call.who)))
