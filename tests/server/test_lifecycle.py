"""Until when operating systems are supported: the shipped tables, overrides, and what the console says."""

from datetime import date
from pathlib import Path

import pytest

from schoolwatch_server import lifecycle, texts
from schoolwatch_server.console import support
from schoolwatch_server.console.words import Words
from schoolwatch_server.state import State, Text
from schoolwatch_server.strict_yaml import SheetError

SYSTEMS = lifecycle.load()


@pytest.mark.parametrize(
    ("name", "release", "edition", "ends"),
    [
        ("Windows 10 Pro", "22H2", "Professional", date(2025, 10, 14)),
        ("Windows 10 Home Single Language", "21H2", "CoreSingleLanguage", date(2023, 6, 13)),
        ("Windows 10 Education", "21H2", "Education", date(2024, 6, 11)),
        ("Windows 10 Enterprise LTSC 2021", "21H2", "EnterpriseS", date(2027, 1, 12)),
        ("Windows 10 IoT Enterprise LTSC", "21H2", "IoTEnterpriseS", date(2032, 1, 13)),
        ("Windows 10 Enterprise LTSC 2019", "1809", "EnterpriseS", date(2029, 1, 9)),
        ("Windows 11 Pro", "24H2", "Professional", date(2026, 10, 13)),
        ("Windows 11 Enterprise", "23H2", "Enterprise", date(2026, 11, 10)),
        ("Windows Server 2019 Standard", "1809", "ServerStandard", date(2029, 1, 9)),
        ("Windows Server 2012 R2 Standard", "", "ServerStandard", date(2023, 10, 10)),
        ("Windows 10 Pro", "22H2", None, date(2025, 10, 14)),
        ("Debian GNU/Linux", "12", None, date(2028, 6, 30)),
        ("Debian GNU/Linux", "10", None, date(2024, 6, 30)),
        ("Ubuntu", "22.04", None, date(2027, 6, 1)),
        ("Ubuntu", "25.10", None, date(2026, 7, 9)),
        # what cannot be told is not guessed
        ("Debian GNU/Linux", "", None, None),
        ("Ubuntu", "99.04", None, None),
        ("Windows 10 Pro", "21H2", None, None),
        ("Windows 10 Pro", "99H9", "Professional", None),
        ("Windows 10 Pro", "22H2", "SomethingNew", None),
        ("Windows 100", "22H2", "Professional", None),
        ("Haiku", "R1", None, None),
    ],
)
def test_an_operating_system_is_found_with_its_edition(
    name: str, release: str, edition: str | None, ends: date | None
) -> None:
    found = lifecycle.find(SYSTEMS, name, release, edition)
    assert (found.ends if found else None) == ends


def test_microsofts_dates_are_tuesdays() -> None:
    """Updates come on Tuesdays, and the last ones too: a slip of a day would show."""
    windows = [system for system in SYSTEMS if system.name.startswith("Windows")]
    assert len(windows) > 50
    assert {system.ends.strftime("%A") for system in windows} == {"Tuesday"}
    assert all(more.ends > system.ends for system in SYSTEMS for more in system.extended)


@pytest.mark.parametrize(
    ("release", "edition", "build", "supported"),
    [
        ("22H2", "Professional", "19045.6466", False),  # the newest that everybody could have
        ("22H2", "Professional", "19045.6575", True),  # the first that only ESU gives
        ("22H2", "Enterprise", "19045.7900", True),
        ("22H2", "Professional", None, None),
        ("22H2", "Professional", "19045", None),
        ("22H2", "Professional", "nonsense", None),
        ("22H2", "Professional", "26100.9999", False),  # a build of another release shows nothing
        ("21H2", "Professional", "19044.7000", False),  # there is no ESU of it
        ("21H2", "EnterpriseS", None, True),  # LTSC
        ("21H2", "IoTEnterpriseS", None, True),
        ("1507", "EnterpriseS", "10240.1", False),  # LTSB 2015
    ],
)
def test_ltsc_is_told_by_its_edition_and_esu_by_its_build(
    release: str, edition: str, build: str | None, supported: bool | None
) -> None:
    found = lifecycle.find(SYSTEMS, "Windows 10 Pro", release, edition)
    assert found is not None
    assert lifecycle.is_supported(found, build, date(2026, 11, 29)) is supported


def test_support_ends_with_the_day_and_an_extension_that_no_build_shows_is_not_counted() -> None:
    found = lifecycle.find(SYSTEMS, "Ubuntu", "20.04", None)
    assert found is not None
    assert found.extended
    assert lifecycle.is_supported(found, "5.4.0-216-generic", date(2025, 5, 29)) is True
    assert lifecycle.is_supported(found, "5.4.0-216-generic", date(2025, 5, 30)) is False
    windows = lifecycle.find(SYSTEMS, "Windows 10 Pro", "22H2", "Professional")
    assert windows is not None
    assert lifecycle.is_supported(windows, "19045.8000", date(2028, 10, 11)) is False


OVERRIDE = """
id: windows
version: {version}
systems:
  - name: Windows 10
    ends: 2030-01-01
    document: Văn bản của Sở
    confidence: P
"""


def test_a_folder_replaces_a_table_with_a_higher_version(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OVERRIDE.format(version=9))
    found = lifecycle.find(lifecycle.load(tmp_path), "Windows 10 Pro", "22H2", "Professional")
    assert found is not None
    assert found.ends == date(2030, 1, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OVERRIDE.format(version=2), "write version 3"),
        (OVERRIDE.format(version=9).replace("2030-01-01", "soon"), "systems[0].ends"),
        (OVERRIDE.format(version=9) + OVERRIDE.split("systems:\n")[1], "is there twice"),
        (OVERRIDE.format(version=9).replace("confidence: P", "sure: yes"), "sure"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SheetError, match=r"a\.yaml") as said:
        lifecycle.load(tmp_path)
    assert says in str(said.value)


def device(**facts: str) -> State:
    return State(facts={f"os.{name}": Text(value, "", 1.7e9) for name, value in facts.items()})


def told(state: State, language: texts.Language, today: date) -> str:
    return support.told(support.of(state, SYSTEMS), today, Words(language, texts.load()))


def test_the_console_says_the_date_what_follows_and_the_source() -> None:
    pc = device(name="Windows 10 Pro", version="22H2", edition="Professional")
    assert told(pc, "vi", date(2025, 10, 14)).startswith("được vá bảo mật đến 14/10/2025; nếu có ESU")
    said = told(pc, "en", date(2025, 10, 15))
    assert said.startswith("support ended on 14 Oct 2025; with ESU for consumers: until 13 Oct 2026")
    assert said.endswith("(Microsoft Lifecycle, Windows 10 Home and Pro)")
    new = device(name="Windows 11 Pro", version="26H1", edition="Professional")
    assert told(new, "en", date(2026, 11, 25)).endswith(", unverified)")
    assert told(device(), "vi", date(2026, 11, 25)) == "chưa rõ (không có trong bảng vòng đời)"
