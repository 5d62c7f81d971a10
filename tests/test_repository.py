"""Rules about the tree that no tool checks."""

import re
import subprocess
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINES_MAX = 300

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
BINARY = {".png", ".bin", ".ico", ".woff2", ".gz", ".zip", ".pcap"}

FORBIDDEN_WORDS = (
    r"(?<![\w.])/(work|root)/",
    r"\bissue #?\d+\b",
    r"\bTODO\b",
    r"\bFIXME\b",
    r"\bXXX\b",
    r"lorem ipsum",
)
"""Paths of somebody's machine, numbers of tickets, and what is not finished."""


def tracked() -> list[Path]:
    """Files that git knows, and those it would add: never what a machine left behind."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and "src" in path.relative_to(ROOT).parts]
TEXTS = [path for path in FILES if path.parent.name == "texts" and path.suffix == ".toml"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def contents(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 60
    assert len(TEXTS) > 2


def test_modules_are_short() -> None:
    """But migrations, which a program writes."""
    long = {
        name(path): len(contents(path).splitlines()) for path in MODULES if "migrations" not in path.parts
    }
    assert {path: lines for path, lines in long.items() if lines > LINES_MAX} == {}


def test_modules_have_names_that_say_something() -> None:
    assert [name(path) for path in MODULES if path.stem in FORBIDDEN_NAMES] == []


def test_every_module_begins_with_a_sentence() -> None:
    silent = [
        name(path) for path in MODULES if contents(path) and not contents(path).startswith(('"""', 'r"""'))
    ]
    assert silent == []


def leaves(table: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Tables that hold texts, with their dotted keys."""
    if any(isinstance(value, str) for value in table.values()):
        return [(path, table)]
    return [leaf for key, value in table.items() for leaf in leaves(value, f"{path}.{key}".strip("."))]


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_text_is_in_both_languages_with_the_same_gaps(path: Path) -> None:
    for key, both in leaves(tomllib.loads(contents(path))):
        assert set(both) == {"vi", "en"}, key
        assert all(value.strip() for value in both.values()), key
        gaps = [sorted(set(re.findall(r"\{(\w+)", value))) for value in both.values()]
        assert gaps[0] == gaps[1], key


def test_vietnamese_is_composed() -> None:
    """NFD looks the same and is not: searches miss it, and fonts break it."""
    wrong = [
        name(path)
        for path in FILES
        if path.suffix not in BINARY and not unicodedata.is_normalized("NFC", contents(path))
    ]
    assert [path for path in wrong if not path.startswith("tests/")] == []


def test_lock_files_hold_no_addresses() -> None:
    locks = [path for path in FILES if path.match("requirements/*.txt")]
    assert len(locks) >= 4
    assert [name(path) for path in locks if "://" in contents(path) or "--index" in contents(path)] == []
    known = {path.name for path in FILES}
    assert known & {"uv.lock", "poetry.lock", "package-lock.json", "yarn.lock", "pylock.toml"} == set()


def test_nothing_speaks_of_anything_but_the_product() -> None:
    pattern = re.compile("|".join(FORBIDDEN_WORDS))
    found = [
        f"{name(path)}: {match[0]}"
        for path in FILES
        if path.suffix not in BINARY and path.name != Path(__file__).name and "static" not in path.parts
        for match in [pattern.search(contents(path))]
        if match
    ]
    assert found == []


def test_nothing_large_is_kept() -> None:
    own = [path for path in FILES if "static" not in path.parts]  # vendored programs of the console
    assert {name(path): size for path in own if (size := path.stat().st_size) > 600_000} == {}


def test_sql_is_in_one_place() -> None:
    pattern = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b")
    outside = [
        name(path)
        for path in MODULES
        if "schoolwatch_server" in path.parts
        and "database" not in path.parts
        and pattern.search(contents(path))
    ]
    assert outside == []
