"""Levels of schools: how they are written, which stages they teach, and who manages them. Pure.

Sources: TT 45/2026/TT-BGDĐT, Điều 1.7 and 2.2 (who manages which schools since 1 July 2025).
"""

import re
from typing import Literal

from schoolwatch_server.alphabet import plain

Stage = Literal["MN", "TH", "THCS", "THPT", "GDTX"]
Manager = Literal["so", "xa"]

LEVELS = ("MN", "TH", "THCS", "THPT", "TH&THCS", "THCS&THPT", "TH,THCS&THPT", "GDTX")
"""As the Ministry's forms write them: preschool, primary, lower and upper secondary, together, continuing."""

_STAGES: tuple[Stage, ...] = ("MN", "TH", "THCS", "THPT", "GDTX")

_WORDS: tuple[tuple[str, Stage], ...] = (
    (r"giao duc thuong xuyen|(?:tt ?)?(?:gdnn ?- ?)?gdtx", "GDTX"),
    (r"trung hoc pho thong|thpt|cap (?:3|iii)\b", "THPT"),
    (r"trung hoc co so|thcs|cap (?:2|ii)\b", "THCS"),
    (r"tieu hoc|\bth\b|cap (?:1|i)\b", "TH"),
    (r"mam non|mau giao|nha tre|\bm[ng]\b", "MN"),
)
_NUMBERED = re.compile(
    r"\b(?:cap|c) ?((?:[1-3]|i{1,3})(?: ?(?:[-–,;+&/.]|va) ?(?:cap |c)?(?:[1-3]|i{1,3})\b)*)\b"
)
"""`cấp 2-3`, `C1`, `cấp I, II và III`: in one word with its numbers, as people say them."""

_BETWEEN = re.compile(
    r"(?:[\s,&+/;._-]|\b(?:va|lien cap|truong|cap|trung tam|tt|giao duc nghe nghiep|chuyen|pho thong"
    r"|pho thong dan toc|(?:ptdt|pt dan toc) ?(?:noi tru|ban tru)?|ptdt[nb]t|dt[nb]t|noi tru|ban tru)\b)*"
)
"""What stands beside a level and names no other. That a school boards its pupils, or is for the gifted, has a
column of its own, and changes for none of these levels whom it reports to.
"""


def parse(text: str) -> str | None:
    """The level that a person means: `Tiểu học`, `TH-THCS`, `THCS và THPT`; None when it is none of them."""
    rest, found = _NUMBERED.sub(_one_by_one, plain(text)), set[Stage]()
    for words, stage in _WORDS:
        rest, count = re.subn(words, " ", rest)
        if count:
            found.add(stage)
    if not found or not _BETWEEN.fullmatch(rest):
        return None
    return next((level for level in LEVELS if set(stages(level)) == found), None)


def _one_by_one(numbers: re.Match[str]) -> str:
    return " ".join(f"cap {number}" for number in re.findall(r"[1-3]|i+", numbers[1]))


def stages(level: str) -> tuple[Stage, ...]:
    """The stages that a school of that level teaches, the lowest first; none for a level nobody gave."""
    parts = re.split(r"[&,]", level)
    return tuple(stage for stage in _STAGES if stage in parts)


def manager(
    level: str, *, is_specialised: bool = False, is_boarding: bool = False, chosen: str = ""
) -> Manager | None:
    """Whom it reports to: the Sở for THPT, GDTX and specialised schools, else the commune.

    A boarding school (nội trú, bán trú) is specialised and yet the commune's when it ends with THCS.
    What somebody `chosen` for the school goes before the rule. None where the level would decide and is not
    known.
    """
    if chosen:
        return "so" if chosen == "so" else "xa"
    if is_specialised and not is_boarding:
        return "so"
    found = stages(level)
    if not found:
        return None
    return "so" if "THPT" in found or "GDTX" in found else "xa"
