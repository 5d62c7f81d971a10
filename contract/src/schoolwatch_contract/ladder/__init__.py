"""The IPv6 ladder in words: what each rung is, what a reason means, and what a technician is to do.

The agent sends rungs with the code of a reason; agent and server tell them in these words. No remedy ever
is to switch IPv6 off: that hides the fault and makes a new one.
"""

from collections.abc import Mapping
from typing import Final

from schoolwatch_contract.ladder.outcomes import OUTCOMES, TARGETS
from schoolwatch_contract.ladder.reasons import REASONS
from schoolwatch_contract.ladder.remedies import SLOW
from schoolwatch_contract.ladder.words import Language, Words

__all__ = [
    "OPTIONAL",
    "OUTCOMES",
    "REASONS",
    "RUNGS",
    "SLOW",
    "TARGETS",
    "Language",
    "Words",
    "first_missed",
    "means",
    "outcome",
    "remedy",
    "target",
]

RUNGS: Final[tuple[Words, ...]] = (
    Words("Địa chỉ liên kết cục bộ (IPv6 đã bật)", "Link-local address (IPv6 is on)"),
    Words("Có quảng bá của bộ định tuyến (RA)", "Router advertisement (RA) seen"),
    Words("RA báo máy chủ DNS (RFC 8106)", "The RA announces resolvers (RFC 8106)"),
    Words("Địa chỉ IPv6 toàn cầu", "Global IPv6 address"),
    Words("Tuyến mặc định, bộ định tuyến trả lời", "Default route whose router answers"),
    Words("DNS trả lời địa chỉ IPv6 (AAAA)", "DNS answers with IPv6 addresses (AAAA)"),
    Words("Kết nối TCP và TLS qua IPv6", "TCP and TLS over IPv6"),
    Words("Gói tin lớn đi qua (MTU của đường đi)", "Large packets pass (path MTU)"),
    Words("IPv6 được ưu tiên", "IPv6 is preferred"),
    Words("NAT64/DNS64", "NAT64/DNS64"),
    Words("DHCP báo mạng ưu tiên IPv6 (tùy chọn 108)", "DHCP offers IPv6-only preferred (option 108)"),
    Words("Chỉ một bộ định tuyến quảng bá", "A single router advertises"),
)
"""By number, from 0."""

OPTIONAL: Final = frozenset({"nat64_absent", "option_108_absent"})
"""Reasons for which a rung that is not reached is no fault: the network does without."""


def means(reason: str, language: Language) -> str:
    """The code of a reason in words; one of a later agent stays as it is."""
    found = [REASONS.get(part) for part in reason.split("+")]
    return " + ".join(
        part if known is None else known.means.told(language)
        for part, known in zip(reason.split("+"), found, strict=True)
    )


def outcome(code: str, language: Language) -> str:
    """What came of one target in words; one of a later agent stays as it is."""
    known = OUTCOMES.get(code)
    return code if known is None else known.told(language)


def target(label: str, language: Language) -> str:
    """Which resolver was asked, in words; a host is its own name."""
    known = TARGETS.get(label)
    return label if known is None else known.told(language)


def remedy(reason: str, language: Language) -> str:
    """What to do about it; empty when there is nothing a technician can do."""
    known = REASONS.get(reason)
    return "" if known is None or known.remedy is None else known.remedy.told(language)


def first_missed(rungs: Mapping[int, tuple[bool | None, str]]) -> int | None:
    """The lowest rung that is not reached and should be; what is unknown is stepped over."""
    return next(
        (
            rung
            for rung, (reached, reason) in sorted(rungs.items())
            if reached is False and reason not in OPTIONAL
        ),
        None,
    )
