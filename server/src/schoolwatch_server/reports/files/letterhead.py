"""What stands above and below the body of an official letter: offices, number, day; receivers, signer.

Nghị định 30/2020/NĐ-CP, Phụ lục I, items II.1 to II.4 and II.7 to II.9. What only the office can say is left
to be filled in.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schoolwatch_server.reports.files.letter import Letter

BLANK = "……………………"
_KINDS = ("Tỉnh ", "Thành phố ", "Xã ", "Phường ", "Thị trấn ", "Đặc khu ")


def heads(
    letter: "Letter", offices: tuple[str, str], country: tuple[str, str], number: str, day: str
) -> None:
    """Offices (above, own) and country (name, motto) side by side, below them number and day on one line."""
    from schoolwatch_server.reports.files.letter import rule, write  # only who asks for a letter needs it

    (left, right), (below, beside) = letter.columns(0.4, rows=2)
    write(left.paragraphs[0], offices[0], size=12)
    write(left.add_paragraph(), offices[1], size=12, bold=True)
    rule(left.add_paragraph(), 22)
    write(right.paragraphs[0], country[0], size=12, bold=True)
    write(right.add_paragraph(), country[1], size=13, bold=True)
    rule(right.add_paragraph(), 20)
    write(below.paragraphs[0], number, size=13)
    write(beside.paragraphs[0], day, size=13, italic=True)


def end(letter: "Letter", head: str, receivers: Sequence[str], signer: str) -> None:
    """Receivers on the left, on the right who signs, with room for it."""
    from schoolwatch_server.reports.files.letter import ALIGN, write

    ((left, right),) = letter.columns(0.5)
    write(left.paragraphs[0], head, size=12, bold=True, italic=True, align=ALIGN.LEFT)
    for line in receivers:
        write(left.add_paragraph(), f"- {line}", size=11, align=ALIGN.LEFT)
    write(right.paragraphs[0], signer, bold=True)
    for _ in range(4):
        write(right.add_paragraph(), "")
    write(right.add_paragraph(), BLANK, bold=True)


def place(name: str) -> str:
    """A commune's or province's name as it stands beside the day: without what kind of place it is."""
    kind = next((kind for kind in _KINDS if name.startswith(kind)), "")
    rest = name.removeprefix(kind)
    return name if rest[:1].isdigit() else rest
