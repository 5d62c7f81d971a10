"""install and uninstall on the folder of an image: what they make, take back and leave alone."""

import json
import os
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from proxying import Proxy
from schoolwatch_agent import admission, cli, identity
from schoolwatch_agent.config import Agent, AgentConfig, Server, load
from schoolwatch_agent.enrol import EnrolError, Office
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.install import command as installation
from schoolwatch_agent.install import order, placing
from schoolwatch_agent.install.order import InstallError
from schoolwatch_agent.install.task import NAMESPACE
from schoolwatch_agent.memory import Memory


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A machine's disk with something of somebody else's on it."""
    (tmp_path / "image/etc/systemd/system").mkdir(parents=True)
    (tmp_path / "image/etc/hosts").write_text("127.0.0.1 localhost\n")
    return tmp_path / "image"


def tree(folder: Path) -> dict[str, str]:
    def content(path: Path) -> str:
        return str(path.readlink()) if path.is_symlink() else path.read_text() if path.is_file() else "/"

    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}


def install(image: Path, *words: str) -> int:
    return cli.main(["install", "--root", str(image), "--lang", "en", *words])


def uninstall(image: Path, *words: str) -> int:
    return cli.main(["uninstall", "--root", str(image), "--lang", "en", *words])


def test_what_is_installed_can_be_taken_away_to_the_last_file(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(image)
    assert install(image) == 0
    after = tree(image)
    assert set(before) < set(after)
    assert (image / "var/lib/schoolwatch-agent").stat().st_mode & 0o777 == 0o700
    assert (image / "etc/schoolwatch/agent.toml").stat().st_mode & 0o022 == 0
    said = capsys.readouterr().out
    for path in (
        set(after) - set(before) - {"etc/schoolwatch/installed.json", "var/lib/schoolwatch-agent/install_id"}
    ):
        assert f"/{path}" in said or path in (
            "var",
            "var/lib",
            "etc/schoolwatch",
            "etc/systemd/system/timers.target.wants",
        )
    assert uninstall(image, "--delete-data") == 0
    assert tree(image) == before


def test_a_second_installation_changes_nothing(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(image) == 0
    before = tree(image)
    capsys.readouterr()
    assert install(image) == 0
    assert tree(image) == before
    assert "made" not in capsys.readouterr().out


def test_the_other_mode_takes_the_place_of_the_first(image: Path) -> None:
    assert install(image) == 0
    assert install(image, "--mode", "run") == 0
    units = {path.name for path in (image / "etc/systemd/system").rglob("*") if not path.is_dir()}
    assert units == {"schoolwatch-agent.service"}
    assert uninstall(image, "--delete-data") == 0
    assert set(tree(image)) == {"etc", "etc/hosts", "etc/systemd", "etc/systemd/system"}


def test_a_gateway_has_a_service_that_knows_the_servers_ports_and_not_its_own_key(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, unit = image / "var/lib/schoolwatch-agent", image / "etc/systemd/system/schoolwatch-gateway.service"
    data.parent.mkdir(parents=True)
    before = tree(image)
    known = identity.Broker("mqtt.so.vn", 8883, tls=True)
    identity.write_credential(data, identity.Credential("ab" * 16, "cd" * 32, "secret", known))
    words = ("--url", "https://so.vn", "--passage", "192.168.1.10:3128", "--passage", "[fd00::1]:3128")
    assert install(image, *words) == 0
    settings = load(image / "etc/schoolwatch/agent.toml")
    assert settings.passage.listen == ("192.168.1.10:3128", "[fd00::1]:3128")
    started = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    assert started.endswith(
        " gateway --config /etc/schoolwatch/agent.toml --to so.vn:443 --to mqtt.so.vn:8883"
    )
    link = image / "etc/systemd/system/multi-user.target.wants/schoolwatch-gateway.service"
    assert link.is_symlink()
    for secret in ("cd" * 32, "secret", "ab" * 16):
        assert secret not in "".join(text for path, text in tree(image / "etc").items())
    assert "/var/lib" not in unit.read_text(), "it has no folder, and reads none of the agent's"

    file = image / "etc/schoolwatch/agent.toml"
    file.write_text(file.read_text().partition("[passage]")[0])
    capsys.readouterr()
    assert install(image, *words) == 0
    assert not unit.exists()
    assert not link.is_symlink()
    assert 'its passage.listen is "", not 192.168.1.10:3128, [fd00::1]:3128' in capsys.readouterr().out
    assert uninstall(image, "--delete-data") == 0
    assert tree(image) == before


def test_the_proxy_is_written_into_the_settings_and_a_wrong_one_installs_nothing(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(image)
    assert install(image, "--proxy", "https://gate:3128") == 1
    assert "server.proxy" in capsys.readouterr().out
    assert tree(image) == before
    assert install(image, "--proxy", "http://192.168.1.10:3128") == 0
    assert load(image / "etc/schoolwatch/agent.toml").server.proxy == "http://192.168.1.10:3128"
    assert install(image, "--proxy", "http://192.168.1.11:3128") == 0
    assert "not http://192.168.1.11:3128: it is left as it is" in capsys.readouterr().out


def test_data_stay_unless_they_are_asked_for(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(image) == 0
    assert uninstall(image) == 0
    assert (image / "var/lib/schoolwatch-agent/install_id").exists()
    assert "--delete-data" in capsys.readouterr().out
    assert uninstall(image) == 1
    assert "nothing to remove" in capsys.readouterr().out


def test_a_settings_file_that_was_there_is_kept_as_it_is(image: Path) -> None:
    (image / "etc/schoolwatch").mkdir()
    (image / "etc/schoolwatch/agent.toml").write_text("[schedule]\nmeasure = 600\n")
    before = tree(image)
    assert install(image, "--url", "https://example.org") == 0
    assert "OnCalendar=*-*-* *:" in (image / "etc/systemd/system/schoolwatch-agent.timer").read_text()
    assert "/10:" in (image / "etc/systemd/system/schoolwatch-agent.timer").read_text()
    assert uninstall(image, "--delete-data") == 0
    assert tree(image) == before


def test_what_somebody_put_beside_our_files_stays(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(image) == 0
    (image / "etc/schoolwatch/notes.txt").write_text("mine")
    assert uninstall(image, "--delete-data") == 0
    assert (image / "etc/schoolwatch/notes.txt").read_text() == "mine"
    assert "kept /etc/schoolwatch" in capsys.readouterr().out


@pytest.mark.parametrize(
    "settings", ["[agent]\ndata = '/srv/data'\n", "[agent]\ndata = '/var/lib/a/b'\n", "nonsense"]
)
def test_settings_that_cannot_be_installed_leave_nothing(
    image: Path, capsys: pytest.CaptureFixture[str], settings: str
) -> None:
    (image / "etc/schoolwatch").mkdir()
    (image / "etc/schoolwatch/agent.toml").write_text(settings)
    before = tree(image)
    ca = image.parent / "ca.pem"
    ca.write_text("a certificate")
    assert install(image, "--ca", str(ca)) == 1
    said = capsys.readouterr().out
    assert "taken back" in said
    assert "/var/lib" in said or "agent.toml" in said
    assert tree(image) == before


def test_a_disk_that_fails_half_way_leaves_nothing(
    image: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(image)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing.Placing, "link", full)
    assert install(image) == 1
    assert "No space left" in capsys.readouterr().out
    assert tree(image) == before


def test_without_a_line_the_token_waits_for_the_agent_alone(
    image: Path, free_port: object, capsys: pytest.CaptureFixture[str]
) -> None:
    token = image.parent / "token"
    token.write_text("\ufeffswe_secret\r\n", "utf-8")
    url = f"http://127.0.0.1:{free_port()}"  # type: ignore[operator]
    assert install(image, "--url", url, "--token-file", str(token)) == 0
    said = capsys.readouterr()
    assert "enrols by itself later" in said.out or "enrols by itself when" in said.out
    assert "swe_secret" not in said.out + said.err
    data = image / "var/lib/schoolwatch-agent"
    own = AgentConfig(agent=Agent(data=str(data)))
    kept = admission._kept(own)
    assert kept == Office(url, "swe_secret")
    assert (data / identity.WAITING).stat().st_mode & 0o777 == 0o600
    assert "swe_secret" not in repr(kept)
    with pytest.raises(EnrolError) as still:  # no line yet: it waits on
        admission.admit_unasked(own, Host(), Memory())
    assert still.value.outcome == "unreachable"
    assert admission._kept(own) == kept


def test_a_proxy_that_is_named_later_is_gone_by(tmp_path: Path) -> None:
    own = AgentConfig(agent=Agent(data=str(tmp_path)))
    admission.wait(own, Office("https://so.invalid", "swe_secret"))  # the line failed: nobody knew of one
    with Proxy(()) as proxy:
        later = AgentConfig(agent=own.agent, server=Server(proxy=proxy.url))
        with pytest.raises(EnrolError):
            admission.admit_unasked(later, Host(), Memory())
    assert set(proxy.asked) == {"so.invalid:443"}


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ((), "tick --config"),
        (("--role", "gateway"), "run --stay-connected --config"),
        (("--role", "gateway", "--mode", "tick"), "tick --config"),
        (("--mode", "run"), "run --config"),
    ],
)
def test_a_gateway_stays_unless_it_is_told_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], begins: str
) -> None:
    """What it sees of an attack would wait for up to 5 minutes."""
    config = tmp_path / "agent.toml"
    config.touch()
    assert cli.main(["install", "--print", "--for", "linux", "--config", str(config), *words]) == 0
    assert re.search(f"(?m)^ExecStart=.* {begins} ", capsys.readouterr().out)


def test_print_shows_the_units_and_touches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "agent.toml"
    config.write_text("[limits]\nmemory_max = 200000000\n")
    assert cli.main(["install", "--print", "--for", "linux", "--config", str(config)]) == 0
    assert "MemoryMax=250000000" in capsys.readouterr().out
    assert cli.main(["install", "--print", "--for", "windows", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("<?xml")
    task = ET.fromstring(shown.partition("\n")[2])
    assert [task.findtext(f".//{{{NAMESPACE}}}{name}") for name in ("Command", "Arguments")] == [
        r"C:\Program Files\SchoolWatch\python\python.exe",
        r'-I "C:\Program Files\SchoolWatch" tick --config C:\ProgramData\SchoolWatch\agent.toml',
    ]
    assert "a kit installs" in shown or "bộ cài trên USB" in shown
    assert sys.prefix not in shown
    assert str(config) not in shown
    assert [path.name for path in tmp_path.iterdir()] == ["agent.toml"]


CONFIG = "/etc/schoolwatch/agent.toml"


def test_what_lies_in_homes_is_refused() -> None:
    for command, config in (
        (("/home/lan/agent", "-I"), CONFIG),
        (("/tmp/agent",), CONFIG),
        ((), "/home/lan/a.toml"),
    ):
        with pytest.raises(InstallError, match="unseen"):
            order.check_places(command, config)
    order.check_places(("/usr/bin/env",), CONFIG)


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root")
@pytest.mark.parametrize(("mode", "owner"), [(0o777, 0), (0o775, 0), (0o755, 1000)])
def test_what_anyone_may_change_is_refused(mode: int, owner: int) -> None:
    folder = Path(f"/opt/schoolwatch-test-{mode:o}-{owner}")
    folder.mkdir()
    try:
        os.chown(folder, owner, 1000)
        folder.chmod(mode)
        with pytest.raises(InstallError, match="open"):
            order.check_places((str(folder),), CONFIG)
        with pytest.raises(InstallError, match="open"):
            order.check_places(("/usr/bin/env",), str(folder / "agent.toml"))
    finally:
        folder.rmdir()


def test_the_current_folder_as_root_is_a_folder(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` has no name and must not be taken for the machine itself."""
    monkeypatch.chdir(image)
    assert cli.main(["install", "--root", "."]) == 0
    assert (image / "etc/schoolwatch/installed.json").exists()
    assert cli.main(["uninstall", "--root", ".", "--delete-data"]) == 0


def test_a_change_of_mode_that_fails_leaves_the_mode_that_was(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install(image) == 0
    before = tree(image)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing.Placing, "link", full)
    assert install(image, "--mode", "run") == 1
    assert tree(image) == before


def test_a_token_file_that_is_none_is_said(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(image)
    token = image.parent / "token"
    token.write_bytes(b"\xff\xfe\x00")
    assert install(image, "--url", "https://example.org", "--token-file", str(token)) == 1
    assert "taken back" in capsys.readouterr().out
    assert tree(image) == before


def test_the_record_names_what_was_made(image: Path) -> None:
    assert install(image) == 0
    record = json.loads((image / "etc/schoolwatch/installed.json").read_text())
    assert record["data"] == "/var/lib/schoolwatch-agent"
    assert "/etc/schoolwatch/agent.toml" in record["files"]
    assert "/etc/hosts" not in record["files"]


def test_a_thawed_folder_is_the_services_folder(image: Path) -> None:
    (image / "etc/schoolwatch").mkdir()
    (image / "etc/schoolwatch/agent.toml").write_text('[agent]\nthawed = "/var/lib/thawed"\n')
    assert install(image) == 0
    assert "\nStateDirectory=thawed\n" in (image / "etc/systemd/system/schoolwatch-agent.service").read_text()
    assert (image / "var/lib/thawed/install_id").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root")
def test_what_root_writes_by_hand_belongs_to_the_service(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 61234, 61235)
    identity.write_private(data / "credential.json", b"{}")
    state = (data / "credential.json").stat()
    assert (state.st_uid, state.st_gid, state.st_mode & 0o777) == (61234, 61235, 0o600)


@pytest.mark.parametrize(
    ("product", "says"), [("deep-freeze", True), ("overlay", True), ("none", False), (None, False)]
)
def test_who_installs_on_a_frozen_computer_is_told_what_a_restart_takes(
    monkeypatch: pytest.MonkeyPatch, product: str | None, says: bool
) -> None:
    told: list[str] = []
    monkeypatch.setattr(installation, "freezing", lambda _: product)
    installation._warn_frozen(Host(), lambda key, **values: told.append(f"{key} {values['product']}"))
    assert told == ([f"frozen {product}"] if says else [])


def test_a_machine_that_does_not_say_whether_it_is_frozen_is_installed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hangs(_: Host) -> str:
        raise TimedOut("identity", 5)

    monkeypatch.setattr(installation, "freezing", hangs)
    installation._warn_frozen(Host(), lambda key, **_: pytest.fail(key))
