"""What the written pages show is there: commands, files, links, words; and generated pages are fresh."""

import argparse
import contextlib
import io
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

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
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text(page), re.MULTILINE | re.DOTALL)
    return [re.sub(r"^ +(?=\S)", "", block, flags=re.MULTILINE) for block in found]


def commands(*pages: str) -> list[str]:
    lines = (line for page in pages for block in blocks(page, "sh") for line in block.splitlines())
    return sorted({line.strip() for line in lines if line.startswith("./schoolwatch")})


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


@pytest.mark.parametrize(
    "line", commands("README.md", "README.vi.md", "docs/operating.md", "docs/vi/cai-dat.md")
)
def test_every_command_that_is_shown_is_understood(line: str) -> None:
    """`./schoolwatch server …` and `agent …` are read by the programs' own parsers, to the last option."""
    words = shlex.split(line.replace("https://…", "https://example.org"), comments=True)
    script = (ROOT / "schoolwatch").read_text(encoding="utf-8")
    assert re.search(rf"^(\w+ \| )*{words[1]}( \| [\w-]+)*\)", script, re.MULTILINE), f"no command {words[1]}"
    if words[1] in ("agent", "server", "up"):
        program = "schoolwatch_agent" if words[1] == "agent" else "schoolwatch_server"
        arguments = words[1:] if words[1] == "up" else words[2:]
        assert accepts(program, arguments), line


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
    shown = [block for page in WRITTEN for block in blocks(page, "toml")]
    assert shown
    for block in shown:  # the agent's settings or the server's: those are told by sections of their own
        if any(
            section in block
            for section in (
                "[speedtest]",
                "[backup]",
                "[database]",
                "[mqtt]",
                "[tls]",
                "[oidc]",
                "[sites]",
                "[store]",
            )
        ):
            schoolwatch_server.config.parse(block, ROOT / "server.toml")
        else:
            schoolwatch_agent.config.parse(block)


def test_the_documented_samples_are_whole() -> None:
    for sample in (schoolwatch_agent.config.sample(), schoolwatch_server.config.SAMPLE.read_text("utf-8")):
        assert tomllib.loads(sample) is not None
        assert sample.strip() in text("docs/configuration.md")


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_page_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import generate  # type: ignore[import-not-found]

    generate.write(tmp_path)
    assert generate.stale(tmp_path) == []
    (tmp_path / "metrics.md").write_text("old")
    (tmp_path / "cli.md").unlink()
    assert generate.stale(tmp_path) == ["metrics.md", "cli.md"]


def test_the_screenshot_is_a_picture() -> None:
    assert (ROOT / "docs/images/console.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("page", PAGES)
def test_pages_say_things_in_short_lines(page: str) -> None:
    """Prose has a line a sentence; tables, code and generated cells may be longer."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in prose.splitlines() if not line.startswith(("|", "#", "!"))]
    assert max(map(len, lines)) <= 400


def test_arguments_without_meaning_are_noticed() -> None:
    assert not accepts("schoolwatch_server", ["token", "--no-such-option"])
    with pytest.raises(SystemExit):
        argparse.ArgumentParser().parse_args(["--no-such-option"])
