"""Making a kit: what is refused before anything is made, and what a kit holds."""

import hashlib
import importlib
import json
import re
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import Peer
from schoolwatch_server import cli
from schoolwatch_server.database.engine import begin_write, open_database
from schoolwatch_server.database.registry import create_room
from schoolwatch_server.kit import build, runtime, wheels
from schoolwatch_server.kit.wheels import KitError

URL = "https://schoolwatch.example.vn"
Kit = Callable[..., int]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    place = ("--commune", "X", "--commune-name", "Xã", "--province", "T", "--province-name", "Tỉnh")
    assert cli.main(["migrate", "--data", str(folder)]) == 0
    assert cli.main(["school", "add", "A", "Trường <A> & B", *place, "--data", str(folder)]) == 0
    engine = open_database(f"sqlite:///{folder}/schoolwatch.db")
    with begin_write(engine) as conn:
        create_room(conn, 1, "Phòng máy 1", "student_lab")
    engine.dispose()
    return folder


@pytest.fixture
def kit(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """The command with a stand-in for the wheels, which test_install.py gets and installs in earnest."""

    def stand_in(targets: tuple[wheels.Target, ...], into: Path, **_: object) -> dict[str, list[str]]:
        (into / "some.whl").write_bytes(b"wheel")
        return {str(target): ["some.whl"] for target in targets}

    monkeypatch.setattr(wheels, "collect", stand_in)

    def make(*words: str, out: str = "kit", url: str = URL) -> int:
        where = ("--out", str(tmp_path / out), "--url", url) if "--revoke" not in words else ()
        return cli.main(["kit", "--school", "A", *where, "--data", str(data), *words])

    return make


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A zip of the shape of python.org's package; not Python."""
    file = tmp_path / "python-3.13.99-embed-amd64.zip"
    with zipfile.ZipFile(file, "w") as made:
        for name in ("python.exe", "python3.dll", "vcruntime140.dll", "python313._pth"):
            made.writestr(name, "x")
    return file


def test_a_kit_for_a_school_behind_a_gateway_names_it(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = "http://192.168.1.10:3128"
    assert kit("--proxy", gateway) == 0
    folder = tmp_path / "kit"
    told = json.loads((folder / "schoolwatch/kit.json").read_text())
    monkeypatch.syspath_prepend(str(build.STICK))
    words = importlib.import_module("putting").options(told, SimpleNamespace(language="vi"), Path("/opt/x"))
    assert words[words.index("--proxy") + 1] == gateway
    assert gateway in (folder / build.PAGE).read_text()
    assert kit("--proxy", "https://gate", out="other") != 0
    assert "--proxy is the gateway's or proxy's address" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_kit_is_whole_and_holds_its_secret_once(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit("--room", "Phòng máy 1", "--uses", "40", "--days", "7") == 0
    folder = tmp_path / "kit"
    token = (folder / build.TOKEN).read_text().strip()
    assert token.startswith("swe_")
    assert (folder / build.TOKEN).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    said = capsys.readouterr()
    assert token not in said.out + said.err
    assert "can't install on Windows" in said.out
    sums = dict(
        line.split("  ")[::-1] for line in (folder / "schoolwatch/SHA256SUMS").read_text().splitlines()
    )
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert set(sums) == set(files) - {"schoolwatch/SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest
        assert name == build.TOKEN or token.encode() not in files[name].read_bytes()
    for name in ("cai-dat.cmd", "go-cai-dat.cmd", "schoolwatch/loi/may-arm.txt"):
        assert files[name].read_bytes().count(b"\n") == files[name].read_bytes().count(b"\r\n") > 2
    for name in ("cai-dat.sh", "schoolwatch/cai_dat.py"):
        assert b"\r" not in files[name].read_bytes()
    about = json.loads((folder / "schoolwatch/kit.json").read_text())
    assert (about["url"], about["uses"], about["room"]) == (URL, 40, "Phòng máy 1")


def test_the_page_says_what_a_teacher_must_know(kit: Kit, tmp_path: Path, package: Path) -> None:
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    assert kit("--windows-runtime", str(package), "--windows-runtime-sha256", digest.upper()) == 0
    page = (tmp_path / "kit" / build.PAGE).read_text("utf-8")
    assert "Trường &lt;A&gt; &amp; B" in page
    assert "chưa được chạy thử trên máy Windows thật" in page
    assert "Giữ USB này như giữ chìa khóa" in page
    assert "Windows 7" in page
    assert "%ProgramFiles%\\SchoolWatch\\schoolwatch-agent.cmd" in page
    assert "sudo schoolwatch-agent doctor" in page
    assert "Mở đóng băng trước" in page
    assert "phòng Phòng" not in page
    assert "trong <b>15 phút</b>" in page
    assert "<b>ĐANG CHỜ DUYỆT</b>" in page, "as the installer says it, of a kit without a room always"
    assert (tmp_path / "kit/schoolwatch/python-windows/python.exe").exists()
    assert kit(out="linux") == 0
    assert "không có phần cho Windows" in (tmp_path / "linux" / build.PAGE).read_text("utf-8")


def test_the_page_prints_on_one_sheet(kit: Kit, tmp_path: Path, package: Path, peer: Peer) -> None:
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    words = ("--windows-runtime", str(package), "--windows-runtime-sha256", digest, "--room", "Phòng máy 1")
    assert kit(*words) == 0
    sheet = tmp_path / "sheet.pdf"
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/browser")
    page = (tmp_path / "kit" / build.PAGE).as_uri()
    chromium = [str(peer("chromium")), *quiet, f"--print-to-pdf={sheet}", page]
    subprocess.run(chromium, capture_output=True, timeout=120, check=True)
    assert len(re.findall(rb"/Type /Page\b", sheet.read_bytes())) == 1


@pytest.mark.parametrize(
    ("words", "url", "says"),
    [
        ((), "", "--url is the server's address"),
        ((), "ftp://example.vn", "--url is the server's address"),
        ((), "http://example.vn", "not encrypted"),
        (("--days", "91"), URL, "at most 90 days"),
        (("--days", "nan"), URL, "at most 90 days"),
        (("--uses", "0"), URL, "1 to 1000 devices"),
        (("--room", "Phòng 9"), URL, "Phòng máy 1"),
        (("--ca", "/nowhere.pem"), URL, "No such file"),
        (("--ca", "/etc/hosts"), URL, "not a certificate"),
        (("--windows-runtime", "python-3.13.14-amd64.exe"), URL, "embeddable"),
        (("--windows-runtime", "python-3.10.11-embed-amd64.zip"), URL, "embeddable"),
        (("--windows-runtime", "python-3.13.14-embed-win32.zip"), URL, "embeddable"),
        (("--windows-runtime", "python-3.13.14-embed-amd64.zip"), URL, "No such file"),
        (("--windows-runtime", "python-3.13.99-embed-amd64.zip"), URL, "--windows-runtime-sha256"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_and_leaves_nothing(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], url: str, says: str
) -> None:
    assert kit(*words, url=url) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_package_that_is_not_the_published_one_is_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(KitError, match="not the published file"):
        runtime.check(package, "0" * 64)
    known = tmp_path / runtime.RECOMMENDED
    known.write_bytes(package.read_bytes())
    with pytest.raises(KitError, match="not the published file"):
        runtime.check(known, "")
    assert runtime.check(package, hashlib.sha256(package.read_bytes()).hexdigest()) == "3.13"


def test_a_package_without_what_programs_load_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "python-3.13.99-embed-amd64.zip"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("python.exe", "x")
    with pytest.raises(KitError, match=r"python3\.dll"):
        runtime.unpack(file, tmp_path / "out")
    file.write_bytes(b"no zip")
    with pytest.raises(KitError):
        runtime.unpack(file, tmp_path / "out2")


def test_an_old_kit_is_not_written_over(kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "notes.txt").write_text("mine")
    assert kit() == 2
    assert "name a new folder" in capsys.readouterr().err
    (tmp_path / "kit" / "notes.txt").unlink()
    assert kit() == 0  # an empty folder will do


def test_revoking_ends_the_token_of_the_stick(
    kit: Kit, tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from schoolwatch_server.enrolment import Asking, EnrolmentError, enrol

    assert kit() == 0
    token = (tmp_path / "kit" / build.TOKEN).read_text().strip()
    engine = open_database(f"sqlite:///{data}/schoolwatch.db")
    now = time.time()
    assert enrol(engine, token, Asking("0" * 32), now=now).device
    assert kit("--revoke") == 0
    assert "1 ended" in capsys.readouterr().out
    with pytest.raises(EnrolmentError):
        enrol(engine, token, Asking("1" * 32), now=now)
    engine.dispose()


def test_targets_are_named_as_the_installer_names_its_machine() -> None:
    names = [str(target) for target in wheels.targets(windows_python="3.13", arm=True)]
    assert names == [
        *(f"linux-x86_64-3.{minor}" for minor in (11, 12, 13, 14)),
        *(f"linux-aarch64-3.{minor}" for minor in (11, 12, 13, 14)),
        "windows-x86_64-3.13",
    ]
    assert not any("windows" in str(target) for target in wheels.targets(windows_python="", arm=False))


def test_wheels_of_a_folder_are_all_there_is_without_a_network(tmp_path: Path) -> None:
    """Real pip, and no network: an empty folder has nothing, and is named."""
    (tmp_path / "into").mkdir()
    (tmp_path / "given").mkdir()
    target = (wheels.Target("windows-x86_64", "3.13"),)
    with pytest.raises(KitError, match="lacks wheels for windows-x86_64-3"):
        wheels.collect(target, tmp_path / "into", given=tmp_path / "given", kept=tmp_path / "kept")


def test_real_wheels_of_every_machine_are_got_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the package index that pip is set to; the second kit needs no network."""
    wanted = (wheels.Target("windows-x86_64", "3.13"), wheels.Target("linux-aarch64", "3.11"))
    kept = tmp_path / "kept"
    found = {}
    for into in (tmp_path / "first", tmp_path / "second"):
        into.mkdir()
        found = wheels.collect(wanted, into, given=None, kept=kept)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        assert {path.name for path in into.iterdir()} == {name for names in found.values() for name in names}
    for target, mark in (("windows-x86_64-3.13", "win_amd64"), ("linux-aarch64-3.11", "aarch64")):
        names = found[target]
        assert {name.partition("-")[0] for name in names} == {
            *("msgspec", "paho_mqtt", "psutil", "schoolwatch_agent", "schoolwatch_contract")
        }
        assert all(mark in name or name.endswith("-none-any.whl") for name in names)
        assert any(
            name.startswith("msgspec") and f"cp{target[-4:].replace('.', '')}" in name for name in names
        )
