"""What the written pages show is there: commands, files, links, words; and generated pages are fresh."""

import argparse
import contextlib
import importlib
import io
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import schoolwatch_agent.cli
import schoolwatch_agent.config
import schoolwatch_server.cli
import schoolwatch_server.config

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = (
    "README.md",
    "README.vi.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/wire.md",
    "docs/adding-a-probe.md",
    "docs/adding-an-indicator-or-rule.md",
    "docs/operating.md",
    "docs/security.md",
    "docs/decisions/0001-workspace.md",
    "docs/decisions/0002-delivery.md",
    "docs/decisions/0003-frame-and-dictionary.md",
    "docs/decisions/0004-embedded-broker.md",
    "docs/decisions/template.md",
    "docs/vi/cai-dat.md",
    "docs/vi/phong-may-dong-bang.md",
)
GENERATED = ("docs/metrics.md", "docs/privacy.md", "docs/refusals.md", "docs/configuration.md", "docs/cli.md")
OTHERS_LABELS = {
    "Tổng cộng", "I. Xã …",  # in a list
    "Sự cố mới mức nghiêm trọng: … · THCS A", "1.000 thông báo sự cố cùng lúc",  # filled in
    "Của trường thì sao",  # a heading of the page
}  # fmt: skip
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text(page), re.MULTILINE | re.DOTALL)
    return [re.sub(r"^ +(?=\S)", "", block, flags=re.MULTILINE) for block in found]


def prose(page: str) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.MULTILINE | re.DOTALL)


def commands() -> dict[str, list[list[str]]]:
    """Words after `./schoolwatch`, and after the name of each program, as typed in blocks and in lines."""
    found: dict[str, set[str]] = {
        "./schoolwatch": set(),
        "schoolwatch-agent": set(),
        "schoolwatch-server": set(),
    }
    for page in PAGES:
        if page == "docs/cli.md":
            continue
        shown = "\n".join(blocks(page, r"\w*")).replace("\\\n", " ").splitlines()
        for line in (*shown, *re.findall(r"`([^`\n]+)`", prose(page))):
            typed = re.match(r"(?:sudo )?(\./schoolwatch|schoolwatch-(?:agent|server)) +(\S.*)", line.strip())
            if typed:
                found[typed[1]].add(typed[2])
    return {
        program: [
            shlex.split(line.partition(" > ")[0].replace("…", "x"), comments=True) for line in sorted(lines)
        ]
        for program, lines in found.items()
    }


def test_the_pages_that_people_look_for_are_there() -> None:
    assert {*WRITTEN, *GENERATED} - set(PAGES) == set()


def test_every_page_can_be_found_from_another() -> None:
    linked = {
        ((ROOT / page).parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", text(page))
    }
    assert [page for page in PAGES if (ROOT / page) not in linked and page != "README.md"] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_no_file_that_is_not_there(page: str) -> None:
    named = re.findall(r"`((?:docs|tests|agent|server|contract|requirements)/[\w./<>*-]+)`", text(page))
    for name in named:
        if "<" not in name:
            assert list(ROOT.glob(name.rstrip("/"))), f"{page}: {name}"


def test_every_command_that_is_shown_is_understood() -> None:
    """On every page; `server …` and `agent …` are read by the programs' own parsers, to the last option."""
    script = (ROOT / "schoolwatch").read_text(encoding="utf-8")
    typed = commands()
    assert min(map(len, typed.values())) > 5
    wrong = [
        words
        for words in typed["./schoolwatch"]
        if not re.search(rf"^(\w+ \| )*{words[0]}( \| [\w-]+)*\)", script, re.MULTILINE)
    ]
    for words in typed["./schoolwatch"]:
        if words[0] in ("agent", "server"):
            typed[f"schoolwatch-{words[0]}"].append(words[1:])
        elif words[0] == "up":
            typed["schoolwatch-server"].append(words)
    for program in ("schoolwatch-agent", "schoolwatch-server"):
        each = {tuple(word for word in words if word != "x") for words in typed[program]}
        wrong += [
            [program, *words] for words in each if words and not accepts(program.replace("-", "_"), [*words])
        ]
    assert wrong == []


def test_a_reader_finds_each_page_from_the_first_one() -> None:
    """The Vietnamese one leads to every page in Vietnamese, the English one to all."""
    vietnamese = {page for page in PAGES if page.startswith("docs/vi/")}
    english = {page for page in PAGES if re.fullmatch(r"docs/[\w-]+\.md", page)} - {"docs/refusals.md"}
    assert [page for page in vietnamese if f"]({page}" not in text("README.vi.md")] == []
    assert [page for page in vietnamese | english if f"]({page}" not in text("README.md")] == []


def test_labels_that_vietnamese_pages_name_are_the_products_own() -> None:
    """What stands in *italics* and has Vietnamese letters: a button, a page, a title."""
    source = (path for path in (ROOT / "server/src").rglob("*.*") if path.suffix in {".toml", ".yaml", ".py"})
    said = " ".join(path.read_text("utf-8") for path in source).lower()
    wrong = []
    for page in PAGES:
        if page.startswith("docs/vi/") and "Generated by" not in text(page)[:60]:
            for label in re.findall(
                r"(?<!\*)\*([^*\n]{2,80})\*(?!\*)", re.sub(r"`[^`\n]*`", "", prose(page))
            ):
                parts = (part.strip(" .:") for part in label.lower().split("…"))
                if not (label.isascii() or label in OTHERS_LABELS or all(part in said for part in parts)):
                    wrong.append(f"{page}: {label}")
    assert wrong == []


def test_what_is_typed_on_windows_is_understood_too() -> None:
    launcher = r'"%ProgramFiles%\SchoolWatch\schoolwatch-agent.cmd" '
    lines = {line for page in PAGES for block in blocks(page, "bat") for line in block.splitlines()}
    typed = {line.removeprefix(launcher) for line in lines if line.startswith(launcher)}
    assert {words.split()[0] for words in typed} >= {"doctor", "bundle", "prepare-image"}
    assert all(accepts("schoolwatch_agent", words.split()) for words in typed)
    assert not any("python.exe" in line for line in lines)


def accepts(program: str, arguments: list[str]) -> bool:
    """Whether the program's command line takes all of these words; with --help at the end nothing is done.

    argparse reads words from the left, so a word it doesn't know before --help goes unnoticed: that is
    why the words are also looked up in the help.
    """
    main = schoolwatch_agent.cli.main if program == "schoolwatch_agent" else schoolwatch_server.cli.main
    said, code = io.StringIO(), None
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main([*arguments, "--help"])
        except SystemExit as ended:
            code = ended.code
    options = [word for word in arguments if word.startswith("--")]
    return code == 0 and all(option in said.getvalue() for option in options)


@pytest.mark.parametrize(
    "line", ["./schoolwatch help", "./schoolwatch agent once", "./schoolwatch agent version"]
)
def test_commands_that_change_nothing_run(line: str) -> None:
    words = shlex.split(line)
    command = [str(ROOT / "schoolwatch"), "help"]
    if words[1] == "agent":
        command = [sys.executable, "-m", "schoolwatch_agent", *words[2:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr


def test_the_settings_that_are_shown_are_right() -> None:
    shown = [block for page in PAGES for block in blocks(page, "toml") if "[" in block]
    assert shown
    of_agents = re.compile(r"^\[(agent|server|passage|sensors|limits|delivery)\]", re.MULTILINE)
    for block in shown:
        if of_agents.search(block):
            schoolwatch_agent.config.parse(block)
        else:
            schoolwatch_server.config.parse(block, ROOT / "server.toml")


def test_the_documented_samples_are_whole() -> None:
    for sample in (schoolwatch_agent.config.sample(), schoolwatch_server.config.SAMPLE.read_text("utf-8")):
        assert tomllib.loads(sample) is not None
        assert sample.strip() in text("docs/configuration.md")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """What writes the generated pages: it makes all dashboards when it is imported, so it is once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        return importlib.import_module("generate")


def test_generated_pages_are_fresh(generate: ModuleType) -> None:
    assert generate.stale(ROOT / "docs") == []


def test_a_stale_page_is_named(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = {name: generate.PAGES[name] for name in ("metrics.md", "privacy.md", "vi/ipv6.md")}
    monkeypatch.setattr(generate, "PAGES", pages)
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.main([]) == generate.main(["--check"]) == 0
    (tmp_path / "metrics.md").write_text("old")
    (tmp_path / "privacy.md").unlink()
    assert generate.main(["--check"]) == 1
    assert re.findall(r"docs/(\S+) is stale", capsys.readouterr().err) == ["metrics.md", "privacy.md"]


def test_the_screenshot_is_a_picture() -> None:
    assert (ROOT / "docs/images/console.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_things_in_short_lines(page: str) -> None:
    """Prose has a line a sentence; tables, code and generated cells may be longer."""
    lines = [line for line in prose(page).splitlines() if not line.startswith(("|", "#", "!"))]
    assert max(map(len, lines)) <= 400


def test_arguments_without_meaning_are_noticed() -> None:
    assert not accepts("schoolwatch_server", ["token", "--no-such-option"])
    with pytest.raises(SystemExit):
        argparse.ArgumentParser().parse_args(["--no-such-option"])
