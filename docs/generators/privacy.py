"""docs/privacy.md: what leaves a machine, why, and what never does; from the catalogue."""

from generators.markdown import code, table
from generators.markdown import page as whole
from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS, SUBJECTS, FactKind, Metric, SightingKind

WHY = {subject.probe: (subject.vi, subject.en) for subject in SUBJECTS}
"""Probe to the purpose of what it sends."""

CLASSES = (
    (
        "technical",
        "Nói về máy, không nói về người hay nơi",
        "Says something of a machine, nothing of a person or a place",
    ),
    (
        "organisational",
        "Cho biết mạng của nhà trường này khác mạng của trường khác; không gắn với một con người",
        "Tells a school's network from another's; belongs to no one person",
    ),
    (
        "pseudonymised",
        "Thay cho một thiết bị hoặc người mà danh tính ở lại nhà trường",
        "Stands for a device or person whose identity stayed at the school",
    ),
)

_ALL: tuple[Metric | FactKind | SightingKind, ...] = (
    *METRICS.values(),
    *FACTS.values(),
    *(kind for kind in SIGHTINGS.values() if kind.probe),  # the others are the server's own
)

NEVER = (
    ("user names, full names, e-mail addresses", "tên đăng nhập, họ tên, thư điện tử"),
    ("the machine's name", "tên máy"),
    (
        "serial numbers, MAC addresses (of an adapter named after its own, the maker's half stays)",
        "số sê-ri, địa chỉ MAC (cạc mạng mang tên theo MAC chỉ giữ lại nửa của hãng sản xuất)",
    ),
    (
        "IPv6 interface identifiers; a machine's own IP addresses",
        "phần định danh của địa chỉ IPv6; địa chỉ IP của máy",
    ),
    (
        "browsing, files, what is on the screen, which programs somebody uses",
        "lịch sử truy cập, tệp, màn hình, chương trình người dùng mở",
    ),
)

LAW = """\
Vietnam's Law on Personal Data Protection (Luật 91/2025/QH15, with Nghị định 356/2025/NĐ-CP, both in force \
since 1 January 2026) speaks of data that identify a person or help to.
IP and MAC addresses are not named in the decree's lists; they can fall under its last, open item when a \
device is one person's, and that is why they stay at the machine.
What is said here of the law was read in secondary sources.
This is how the software was built, not legal advice: whoever runs it decides with their own lawyer whether \
an impact assessment is due."""


def page() -> str:
    """The tables of what leaves, class by class, and of what doesn't."""
    return whole(
        "Privacy: what leaves a machine, and what doesn't",
        "Nothing leaves a machine that is not on this page; a test compares it with what probes send.\n"
        "The names are explained in [metrics.md](metrics.md).",
        "## Never sent / Không bao giờ gửi",
        table(("English", "Tiếng Việt"), NEVER),
        *(block for name, vi, en in CLASSES for block in _class(name, vi, en)),
        "## The law",
        LAW,
    )


def _class(privacy: str, vi: str, en: str) -> tuple[str, ...]:
    kinds: list[Metric | FactKind | SightingKind] = [kind for kind in _ALL if kind.privacy == privacy]
    title = (f"## Class: {privacy}", f"{en}.\n{vi}.")
    if not kinds:
        return (*title, "Nothing of this class is sent today.")
    probes = list(dict.fromkeys(kind.probe for kind in kinds))
    rows = (
        (probe or "(agent)", ", ".join(code(kind.name) for kind in kinds if kind.probe == probe), *WHY[probe])
        for probe in probes
    )
    return (*title, table(("Probe", "What is sent", "Để làm gì", "Why"), rows))
