"""./schoolwatch, the only command a newcomer needs: how it makes, keeps and repairs its environment.

The real Python runs here; environments borrow their packages from the one that runs the tests, and uv is a
stand-in that writes down what it was asked for: tests touch no network.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Peer

ROOT = Path(__file__).resolve().parent.parent
BASE = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]  # the Python that made this environment

UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv {version} (stand-in)"; exit 0; fi
echo "$@" >>"{calls}"
[ -z "${{UV_FAILS:-}}" ] || {{ echo "no space left" >&2; exit 1; }}
here=$(dirname "$0")
for name in server agent; do
    printf '#!/bin/sh\\n' >"$here/schoolwatch-$name" && chmod 755 "$here/schoolwatch-$name"
done
"""

PYTHON = """#!/bin/sh
if [ "$1 $2" != "-m venv" ]; then exec "{python}" "$@"; fi
"{python}" -m venv --without-pip "$3" || exit $?
cp "{tools}/uv" "$3/bin/uv"
printf '#!%s/bin/python3\\n' "$3" >"$3/bin/pip"
cp "{tools}/borrowed.pth" "$("$3/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
"""


class Checkout:
    """A copy of the script and what it reads, with a Python that plants the stand-in for uv."""

    def __init__(self, folder: Path, tools: Path, base: Path = BASE) -> None:
        self.folder = folder
        self.tools = tools
        self.calls = tools / "calls"
        folder.mkdir(parents=True)
        tools.mkdir()
        for name in (
            "schoolwatch",
            "pyproject.toml",
            *(f"{m}/pyproject.toml" for m in ("agent", "contract", "server")),
        ):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        (folder / "requirements").mkdir()
        for lock in (ROOT / "requirements").glob("*.txt"):
            shutil.copy2(lock, folder / "requirements")
        version = (ROOT / "requirements" / "bootstrap.txt").read_text().partition("==")[2].partition(" ")[0]
        tests = str(ROOT / "tests")
        paths = [p for p in sys.path if p and Path(p).is_dir() and not p.startswith(tests)]
        self.program("uv", UV.format(version=version, calls=self.calls))
        (tools / "borrowed.pth").write_text("\n".join(paths))
        self.program("python", PYTHON.format(python=base, tools=tools))

    def program(self, name: str, text: str) -> Path:
        path = self.tools / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return path

    def run(
        self,
        *words: str,
        python: str | None = None,
        cwd: Path | None = None,
        user: int | None = None,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "schoolwatch", *words],
            capture_output=True, text=True, timeout=120, cwd=cwd, check=False,
            user=user, group=user, extra_groups=None if user is None else [],
            env={
                "PATH": os.environ["PATH"], "HOME": str(self.tools), "LANG": "en_US.UTF-8",
                "PIP_NO_INDEX": "1",
                "SCHOOLWATCH_PYTHON": python or str(self.tools / "python"), **env,
            },
        )  # fmt: skip

    @property
    def installs(self) -> int:
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a folder with 'spaces'", tmp_path / "tools")


CHECK = ("server", "check-config")


@pytest.fixture
def shared() -> Iterator[Checkout]:
    """A checkout where everybody on the machine can look, as /opt is; pytest's own folder is private."""
    place = Path(tempfile.mkdtemp(prefix="schoolwatch-test-"))
    place.chmod(0o755)
    debian = Path(f"/usr/bin/python3.{sys.version_info.minor}")  # ours may be in a private home
    base = next((python for python in (BASE, debian) if _may("-x", python)), BASE)
    yield Checkout(place / "checkout", place / "tools", base)
    _permit(place, "u+rwX")
    shutil.rmtree(place)


def _may(right: str, path: Path) -> bool:
    return subprocess.run(["test", right, path], check=False, user=_stranger()).returncode == 0


def _permit(folder: Path, mode: str) -> None:
    subprocess.run(["chmod", "-R", mode, folder], check=True)


def _stranger() -> int | None:
    """Somebody who owns nothing; where the tests aren't root, taking away the right to write does it."""
    return 65534 if os.getuid() == 0 else None


def test_dash_reads_it_and_shellcheck_finds_nothing(peer: Peer) -> None:
    subprocess.run(["dash", "-n", ROOT / "schoolwatch"], check=True)
    scripts = [ROOT / name for name in ("schoolwatch", ".ci/run", "requirements/compile")]
    done = subprocess.run(
        [peer("shellcheck"), "-s", "sh", *scripts], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


def test_ci_runs_exactly_the_test_command() -> None:
    assert "exec ./schoolwatch test\n" in (ROOT / ".ci" / "run").read_text()


def test_the_first_start_says_what_it_does_and_the_second_does_nothing_twice(checkout: Checkout) -> None:
    first = checkout.run(*CHECK)
    assert first.returncode == 0, first.stderr
    assert "prepares its own environment" in first.stderr
    assert "the settings are right" in first.stdout
    asked = checkout.calls.read_text()
    assert "--require-hashes -r" in asked
    assert "server.txt" in asked
    assert "--no-deps -e" in asked
    second = checkout.run(*CHECK)
    assert (second.returncode, second.stderr, checkout.calls.read_text()) == (0, "", asked)


def test_the_data_folder_counts_from_where_the_person_is(checkout: Checkout, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert f"{elsewhere}/data" in checkout.run(*CHECK, cwd=elsewhere).stdout


def test_a_link_to_it_works_from_anywhere(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "schoolwatch"
    link.symlink_to(checkout.folder / "schoolwatch")
    checkout.run(*CHECK)
    done = subprocess.run([link, "help"], capture_output=True, text=True, check=True, env={"LANG": "C"})
    assert "Cách dùng" in done.stderr
    assert checkout.run(*CHECK).returncode == 0


def test_a_moved_folder_gets_a_new_environment(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run(*CHECK)
    before = checkout.installs
    checkout.folder = checkout.folder.rename(tmp_path / "moved")
    moved = checkout.run(*CHECK)
    assert moved.returncode == 0, moved.stderr
    assert "Make the Python environment" in moved.stderr
    assert checkout.installs > before


@pytest.mark.parametrize("broken", ["bin/python3", "bin/pip", "bin/schoolwatch-server", "pyvenv.cfg", ""])
def test_a_broken_environment_is_repaired(checkout: Checkout, broken: str) -> None:
    checkout.run(*CHECK)
    victim = checkout.folder / ".venv" / broken
    if broken:
        victim.unlink()
    else:
        shutil.rmtree(victim)
        victim.write_text("not a folder")
    again = checkout.run(*CHECK)
    assert again.returncode == 0, again.stderr
    assert "the settings are right" in again.stdout


def test_an_interrupted_first_start_is_taken_up_again(checkout: Checkout) -> None:
    failed = checkout.run(*CHECK, UV_FAILS="1")
    assert failed.returncode == 2
    assert "no space left" in failed.stderr
    assert "This step failed: Get and install the locked packages" in failed.stderr
    again = checkout.run(*CHECK)
    assert again.returncode == 0, again.stderr
    assert "the settings are right" in again.stdout


def test_changed_locks_are_installed_and_nothing_else_is_made_again(checkout: Checkout) -> None:
    checkout.run(*CHECK)
    before = checkout.installs
    with (checkout.folder / "requirements" / "server.txt").open("a") as lock:
        lock.write("# changed\n")
    again = checkout.run(*CHECK)
    assert "Make the Python environment" not in again.stderr
    assert checkout.installs > before


def _files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("made", ["nothing", "half", "foreign"])
def test_a_folder_of_somebody_else_is_left_alone_with_one_line(shared: Checkout, made: str) -> None:
    closed = shared.folder
    if made != "nothing":
        shared.run(*CHECK, UV_FAILS="1")
    if made == "foreign":  # the folder is ours to write, the environment in it isn't
        closed = shared.folder / ".venv"
        _permit(shared.folder, "a+rwX")
    _permit(closed, "a+rX,a-w")
    before = _files(shared.folder)
    for language, words in (("en", "This account cannot write to"), ("vi", "Tài khoản này không ghi được")):
        done = shared.run(*CHECK, user=_stranger(), LANG=language)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"{words} {'vào ' if language == 'vi' else ''}{closed}.")
        assert f'cp -r "{shared.folder}"' in line
    assert _files(shared.folder) == before


def test_whoever_cannot_write_may_use_what_is_ready(shared: Checkout) -> None:
    assert shared.run(*CHECK).returncode == 0
    if not (_may("-r", ROOT / "server") and _may("-x", shared.folder / ".venv" / "bin" / "python")):
        pytest.skip("another user may not read what this test borrows: checkout and Python in a private home")
    _permit(shared.folder.parent, "a+rX,a-w")
    done = shared.run(*CHECK, user=_stranger(), cwd=Path("/"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "the settings are right" in done.stdout


def _without_venv(checkout: Checkout) -> str:
    """Debian's own Python: new enough, and no ensurepip."""
    text = f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec "{BASE}" "$@"\n'
    return str(checkout.program("bare", text))


def _without_root(checkout: Checkout) -> str:
    checkout.program("id", "#!/bin/sh\necho 1000\n")
    return f"{checkout.tools}:{os.environ['PATH']}"


def test_a_python_without_venv_is_one_command_to_type(checkout: Checkout) -> None:
    done = checkout.run(*CHECK, python=_without_venv(checkout), PATH=_without_root(checkout))
    assert done.returncode == 2
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.stderr.splitlines()[-1].endswith(f"Type: sudo apt-get install python{version}-venv")
    assert not (checkout.folder / ".venv").exists()


def test_as_root_the_missing_package_is_installed(checkout: Checkout) -> None:
    bare = _without_venv(checkout)
    checkout.program("id", "#!/bin/sh\necho 0\n")
    # what apt-get does for real: afterwards the same Python has venv
    checkout.program(
        "apt-get", f'#!/bin/sh\necho "$@" >>"{checkout.tools}/apt"\ncp "{checkout.tools}/python" "{bare}"\n'
    )
    done = checkout.run(*CHECK, python=bare, PATH=f"{checkout.tools}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (checkout.tools / "apt").read_text() == f"install -y --no-install-recommends python{minor}-venv\n"


def test_no_python_at_all_is_one_command_to_type(checkout: Checkout) -> None:
    done = checkout.run(*CHECK, python="no-such-python", PATH=_without_root(checkout), LANG="vi_VN.UTF-8")
    assert done.returncode == 2
    assert "Cần Python 3.11 trở lên" in done.stderr
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_pips_own_settings_reach_uv(checkout: Checkout) -> None:
    checkout.program(
        "uv",
        (checkout.tools / "uv")
        .read_text()
        .replace("#!/bin/sh\n", '#!/bin/sh\necho "index=$UV_DEFAULT_INDEX" >>"$HOME/index"\n'),
    )
    checkout.run(*CHECK, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert "index=http://127.0.0.1:9/simple" in (checkout.tools / "index").read_text()


def test_an_unknown_command_shows_what_there_is(checkout: Checkout) -> None:
    done = checkout.run("fly")
    assert done.returncode == 2
    assert "Usage: ./schoolwatch" in done.stderr


def test_bench_lists_what_it_can_measure(checkout: Checkout) -> None:
    (checkout.folder / "benchmarks").mkdir()
    (checkout.folder / "benchmarks" / "speed.py").write_text('"""How fast it is."""\nprint("ran")\n')
    assert checkout.run("bench").stdout.split(maxsplit=1) == ["speed", "How fast it is.\n"]
    assert "ran" in checkout.run("bench", "speed").stdout
    assert "There is no benchmark none" in checkout.run("bench", "none").stderr
