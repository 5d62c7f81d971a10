"""Every text that a page asks for is there in both languages, and every text that is there is asked for."""

import re
import string
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import machines
from schoolwatch_agent import texts as agent_texts
from schoolwatch_agent.probes import PROBES
from schoolwatch_contract import errors, ladder
from schoolwatch_contract.catalogue import FACTS, METRICS
from schoolwatch_server import console, packs, rules, texts
from schoolwatch_server.access import Role
from schoolwatch_server.database import declarations, registry
from schoolwatch_server.ladder import Standing
from schoolwatch_server.posture import RUNGS
from schoolwatch_server.severity import Severity
from schoolwatch_server.state import Medium

WORDS = texts.load()
PACKAGE = Path(console.__file__).parent
DOCS = Path(__file__).parents[3] / "docs"
TEMPLATES = "\n".join(path.read_text("utf-8") for path in sorted(PACKAGE.glob("templates/*.html")))
CODE = "\n".join(path.read_text("utf-8") for path in sorted(PACKAGE.parent.rglob("*.py")))
SAID = set(re.findall(r"""["']([a-z0-9_]+(?:\.[a-z0-9_]+)*)["']""", TEMPLATES + CODE))
BEGINNINGS = set(re.findall(r'"([a-z0-9_]+\.[a-z0-9_]*)" *~', TEMPLATES)) | set(
    re.findall(r"""f["']([a-z0-9_]+\.[a-z0-9_.]*)\{""", CODE)
)
"""Keys whose end is a word of another part: a role, a reason, a counter."""

ACTIONS = set(re.findall(r'action="([a-z]+(?:\.[a-z_]+)?)"|_write_down\(conn, "([a-z.]+)"', CODE))
ACTIONS = {one or other for one, other in ACTIONS} - {"append"}  # what argparse does with an option
"""What the audit log is told."""


def test_every_text_that_a_template_asks_for_is_there() -> None:
    asked = set(re.findall(r'\bt\("([a-z0-9_.]+)"[,)]', TEMPLATES))
    assert len(asked) > 100
    assert sorted(asked - set(WORDS.entries)) == []


def test_every_text_of_the_console_is_asked_for() -> None:
    table = (texts.FOLDER / "console.toml").read_text(encoding="utf-8")
    tops = set(tomllib.loads(table))
    keys = {key for key in WORDS.entries if key.partition(".")[0] in tops}
    unused = {key for key in keys - SAID if not key.startswith(tuple(BEGINNINGS))}
    assert sorted(unused) == []


def test_both_languages_have_the_same_places_to_fill() -> None:
    """All in one: a test for each of some thousand texts takes each worker's time before there is any."""
    for key, words in WORDS.entries.items():
        places = [
            {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
            for text in words.values()
        ]
        assert places[0] == places[1], key
        assert all(text.strip() for text in words.values()), key


@pytest.mark.parametrize(
    ("beginning", "ends"),
    [
        ("role", registry.DEVICE_ROLES),
        ("quantity", declarations.QUANTITIES),
        ("severity", get_args(Severity)),
        ("medium", get_args(Medium)),
        ("ladder", get_args(Standing)),
        ("ipv6_part", ["none", *map(str, range(RUNGS))]),
        ("refusal", get_args(errors.Reason)),
        ("counter", ["received", "committed", "duplicates", "forks", "late", "uncertain"]),
        ("part", ["broker", "intake", "evaluate", "serve", "speedtest", "store-writer", "agent"]),
        ("audit", sorted({action.replace(".", "_") for action in ACTIONS})),
    ],
)
def test_every_word_of_a_closed_list_has_its_text(beginning: str, ends: list[str]) -> None:
    assert len(ends) > 1
    assert [end for end in ends if f"{beginning}.{end}" not in WORDS.entries] == []


def test_every_number_of_a_pack_has_its_name() -> None:
    names = {n for pack in packs.load().packs for one in pack.indicators.values() for n in one.numbers}
    assert len(names) > 20
    assert sorted(name for name in names if f"packs.number.{name}" not in WORDS.entries) == []


OTHER_WORDS = {
    "cạc": "card",
    "khóa API": "mã truy cập API",
    "ghi danh": "đăng ký",
    "phòng chống mã độc": "diệt vi-rút",
    "virus": "vi-rút",
    "tuyến đường": "tuyến",
    "router": "bộ định tuyến",
    "Gateway": "máy cổng",
    "máy gateway": "máy cổng",
    "gateway của": "máy cổng của",
    "gateway và": "máy cổng và",
    "và gateway": "và máy cổng",
    "máy đo cổng mạng": "máy cổng",
    "máy trạm": "máy (có phần mềm đo)",
    "phần mềm giám sát": "phần mềm đo",
    "khóa chính": "khóa chủ",
    "mã API": "mã truy cập API",
    "ói tiêu chí": "bộ tiêu chí",
    "bộ chỉ tiêu": "bộ tiêu chí",
    "rã đông": "mở đóng băng",
    "tỷ lệ": "tỉ lệ",
    "chứng chỉ": "chứng thư",
}
"""What is not said, because the word beside it is said everywhere else."""

AS_THEY_ARE = {"máy trạm", "Loại hệ điều hành: máy trạm (client) hay máy chủ (server)"}
"""An edition of Windows, which is called so."""

ADDRESS = re.compile(
    r"\b(bạn|quý (vị|khách|thầy|cô|đơn vị)|anh(/| |, )chị|thầy(/| |, )cô|ông(/| |, )bà)\b", re.IGNORECASE
)
"""Nobody is addressed: a teacher, an official and a director read the same page."""

SPACED_PERCENT = re.compile(r"[\d}][ \u00a0]%")
"""Vietnamese documents write 80%, and so do the plans that were read."""


def _vietnamese() -> dict[str, str]:
    """All that a person reads in Vietnamese and no page of docs holds, by where it stands."""
    said = {key: text["vi"] for key, text in WORDS.entries.items()}
    said |= {kind.vi: kind.vi for kind in (*METRICS.values(), *FACTS.values())}
    said |= {rung.vi: rung.vi for rung in ladder.RUNGS}
    said |= {w.vi: w.vi for r in ladder.REASONS.values() for w in (r.means, r.remedy) if w}
    for rule in rules.load():
        said |= {text: text for text in (rule.title.vi, rule.why.vi, rule.what_to_do.vi)}
    for file in sorted(Path(agent_texts.__file__).parent.glob("texts/*.toml")):
        said |= {
            f"{file.stem}:{key}": text["vi"] for key, text in tomllib.loads(file.read_text("utf-8")).items()
        }
    kit = PACKAGE.parent / "kit/stick"
    said |= {
        file.name: file.read_text("utf-8")
        for file in (kit / "huong-dan.html", kit / "words.toml", *sorted((kit / "loi").glob("*.txt")))
    }
    return said


PAGES = {
    file.name: file.read_text("utf-8")
    for file in [*sorted(DOCS.glob("vi/*.md")), DOCS.parent / "README.vi.md"]
}


NO_PROSE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|^- Căn cứ:.*?$", re.DOTALL | re.MULTILINE)
"""Code, addresses, and what a law is quoted with."""


def test_a_concept_has_one_word_in_vietnamese() -> None:
    said = {key: text for key, text in _vietnamese().items() if text not in AS_THEY_ARE}
    assert len(said) > 500
    found = [text for text in said.values() for word in OTHER_WORDS if word in text]
    assert found == []
    prose = {name: NO_PROSE.sub("", text) for name, text in PAGES.items()}
    assert {(name, word) for name, text in prose.items() for word in OTHER_WORDS if word in text} == set()
    assert [key for key in WORDS.entries if "`" in said.get(key, "")] == [], "pages show text as it is"


def test_nobody_is_addressed_in_vietnamese() -> None:
    """Not "bạn" to one and "quý vị" to another: what is to be done is said without a word for the reader."""
    assert len(PAGES) > 20
    said = _vietnamese() | PAGES
    assert {key: found[0] for key, text in said.items() if (found := ADDRESS.search(text))} == {}


def test_a_page_says_whom_it_is_for() -> None:
    """At once, so that nobody reads on for nothing; dossiers and the notice are no guides."""
    papers = {"ho-so-cap-do-3.md", "ho-so-xu-ly-du-lieu.md", "thong-bao-du-lieu.md", "README.vi.md"}
    for name in PAGES.keys() - papers:
        assert "dành cho" in "\n".join(PAGES[name].splitlines()[:6]).lower(), name


def test_percent_is_written_as_documents_do() -> None:
    said = _vietnamese() | PAGES
    assert {key: found[0] for key, text in said.items() if (found := SPACED_PERCENT.search(text))} == {}


def test_roles_of_people_are_not_roles_of_rooms() -> None:
    assert not set(get_args(Role)) & set(registry.DEVICE_ROLES), "one key would name two things"


def test_why_something_is_unknown_reads_in_both_languages() -> None:
    """Every reason that a recorded machine gives; what a program printed of itself is no reason."""
    reasons = {
        fact.reason
        for probe in PROBES
        for machine in machines.NAMES
        for fact in machines.look(probe.name, machine).facts
        if fact.value is None and not fact.reason.startswith(("ended with ", "error 0x"))
    }
    assert len(reasons) > 20
    known = {key.partition(".")[2] for key in WORDS.entries if key.startswith("fact_reason.")}
    assert reasons - known == set()
