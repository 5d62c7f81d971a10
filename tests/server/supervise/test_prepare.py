"""What is made, checked and refused before anything starts."""

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import address, cli, texts
from schoolwatch_server.commands.command import language
from schoolwatch_server.config import Http, Mqtt, ServerConfig, Speedtest, parse
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.engine import begin_read, begin_write, migrate, open_database
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.supervise import agent, logs, plan, prepare, sample
from schoolwatch_server.supervise.accounts import Accounts
from tree import Tree


def say(key: str, **values: object) -> str:
    return texts.load().get("en", key, **values)


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    prepare.folder(tmp_path / "d", say)
    for path in (tmp_path / "d", *(tmp_path / "d").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o700, path
    assert {p.name for p in (tmp_path / "d").iterdir()} == set(prepare.FOLDERS)


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare.folder(tmp_path, say)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_folder_with_other_things_is_refused_by_up_and_migrate_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "log").mkdir()
    tmp_path.chmod(0o755)
    for word in ("up", "migrate"):
        assert cli.main([word, "--data", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert "letters" in said
        assert "--data DIR" in said
        assert said.count("\n") == 1
    assert {p.name for p in tmp_path.iterdir()} == {"letters", "log"}
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["server.toml", "schoolwatch.db"])
def test_a_folder_with_our_mark_may_hold_anything(tmp_path: Path, name: str) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(prepare.UpError):
        prepare.check_folder(tmp_path, say)
    (tmp_path / name).touch()
    prepare.check_folder(tmp_path, say)
    assert {p.name for p in tmp_path.iterdir()} == {"letters", name}


def test_our_own_folders_without_a_database_are_no_strangers(tmp_path: Path) -> None:
    prepare.check_folder(tmp_path / "none", say)
    prepare.check_folder(tmp_path, say)
    prepare.folder(tmp_path, say)
    (tmp_path / "rules").mkdir()
    prepare.check_folder(tmp_path, say)
    assert (tmp_path / "run").is_dir()


def test_a_start_that_is_refused_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], free_port: Callable[[], int]
) -> None:
    data = tmp_path / "d"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        http, mqtt = f"127.0.0.1:{other.getsockname()[1]}", f"127.0.0.1:{free_port()}"
        assert cli.main(["up", "--data", str(data), "--http", http, "--mqtt", mqtt]) == 2
    assert "--http" in capsys.readouterr().err
    assert not data.exists()


def test_only_one_holds_the_data(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with prepare.lock(tmp_path, say), pytest.raises(prepare.UpError, match=f"process {os.getpid()}"):
        prepare.lock(tmp_path, say)
    with prepare.lock(tmp_path, say) as again:
        assert not again.closed


def test_the_servers_password_is_made_once(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path))
    (tmp_path / "secrets").mkdir()
    first = prepare.server_password(config)
    assert len(first) >= 40
    assert prepare.server_password(config) == first
    assert config.mqtt_password_path.stat().st_mode & 0o777 == 0o600


def test_a_port_is_seen_to_be_taken_on_any_address(free_port: Callable[[], int]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        config = ServerConfig(mqtt=Mqtt(host="0.0.0.0", port=other.getsockname()[1]))
        with pytest.raises(prepare.UpError, match="--mqtt"):
            prepare.ports(
                msgspec.structs.replace(config, http=msgspec.structs.replace(config.http, port=free_port())),
                say,
            )


def test_the_speed_tests_port_is_looked_at_when_it_is_on(free_port: Callable[[], int]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        for enabled in (True, False):
            config = ServerConfig(
                http=Http(port=free_port()),
                mqtt=Mqtt(port=free_port()),
                speedtest=Speedtest(enabled=enabled, port=taken),
            )
            names = [part.name for part in plan.server_parts(config, Path("/x"))]
            assert ("speedtest" in names) == enabled
            assert set(names) < set(plan.STOP_ORDER)
            if enabled:
                with pytest.raises(prepare.UpError, match=r"speedtest\.port"):
                    prepare.ports(config, say)
            else:
                prepare.ports(config, say)


def test_mosquitto_that_is_asked_for_in_vain_is_an_error_and_auto_is_not() -> None:
    config = parse('[broker]\nkind = "mosquitto"\nprogram = "no-such-program"\n', Path("/x/server.toml"))
    with pytest.raises(prepare.UpError, match="apt-get install mosquitto"):
        prepare.broker(config, say)
    auto = msgspec.structs.replace(config, broker=msgspec.structs.replace(config.broker, kind="auto"))
    assert prepare.broker(auto, say) is None


def test_the_sample_school_is_made_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/schoolwatch.db"
    migrate(url)
    engine = open_database(url)
    assert sample.token(engine) is None
    for _ in range(2):
        sample.ensure(engine, wants_agent=True)
    with begin_read(engine) as conn:
        (school,) = registry.schools(conn, EVERYTHING)
    assert (school.code, school.name, school.level) == ("TRUONG-MAU", "Trường mẫu", "THCS")
    assert (school.commune, school.province) == ("Xã mẫu", "Tỉnh mẫu")
    assert school.declared == {"devices": 1.0}, "students are for people to declare"
    assert sample.token(engine)
    engine.dispose()


def test_a_province_that_has_schools_gets_no_sample_where_nothing_measures_this_machine(
    tmp_path: Path,
) -> None:
    tree = Tree(tmp_path)
    for wants_agent in (False, True):
        sample.ensure(tree.engine, wants_agent=wants_agent)
        assert (sample.token(tree.engine) is not None) == wants_agent


def test_the_password_file_follows_the_credentials(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/schoolwatch.db"
    migrate(url)
    engine = open_database(url)
    sample.ensure(engine, wants_agent=True)
    path, reloads = tmp_path / "passwords", []
    accounts = Accounts(engine, tmp_path, {"schoolwatch-server": "$7$own"}, "schoolwatch-server")
    accounts.write()
    assert path.read_text() == "schoolwatch-server:$7$own\n"
    assert path.stat().st_mode & 0o777 == 0o600
    accounts.refresh(0, lambda: reloads.append(0))
    with begin_write(engine) as conn:
        (school,) = registry.schools(conn, EVERYTHING)
        device = registry.create_device(conn, school.id, None, "x", 1.0)
        credentials.set_credential(conn, device.id, b"k" * 32, "$7$hash", 1.0)
    accounts.refresh(0.1, lambda: reloads.append(1))
    assert reloads == [], "not looked at so soon"
    accounts.refresh(1, lambda: reloads.append(1))
    assert f"{device.device}:$7$hash\n" in path.read_text()
    with begin_write(engine) as conn:
        credentials.revoke(conn, device.id, 1.0)  # the clock stands still, or was set back
    accounts.refresh(4, lambda: reloads.append(4))
    assert reloads == [1, 4]
    assert device.device not in path.read_text()
    accounts.refresh(80, lambda: reloads.append(80))
    assert reloads == [1, 4], "nothing changed"
    engine.dispose()


def test_a_log_does_not_grow_past_its_bound_and_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "p.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"first\n" * 100)
        logs.rotate(path, 500)
        writer.write(b"second\n")
        assert path.read_bytes() == b"second\n"
        assert (tmp_path / "p.log.1").read_bytes() == b"first\n" * 100
        logs.rotate(path, 500)
        assert path.read_bytes() == b"second\n"
    logs.rotate(tmp_path / "none.log")


@given(st.binary(max_size=300), st.integers(0, 400))
def test_the_last_lines_of_any_bytes_are_short_and_printable(text: bytes, since: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.log"
        path.write_bytes(text)
        lines = logs.last_lines(path, 5, since)
    assert len(lines) <= 5
    assert all(line.isprintable() and len(line) <= 300 for line in lines)


def test_the_agents_settings_follow_the_broker_and_stay_the_persons_otherwise(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path))
    (tmp_path / "agent").mkdir()
    path = agent.settings(config)
    text = path.read_text().replace("measure = 15", "measure = 60").replace("deliver = 15", "deliver = 60")
    path.write_text(text)
    assert agent.settings(config).read_text() == text
    moved = msgspec.structs.replace(config, mqtt=Mqtt(port=1884))
    assert "mqtt_port = 1884" in agent.settings(moved).read_text()


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:65535", "::1", 65535), ("localhost:1", "localhost", 1)],
)
def test_an_address_is_read_and_written_the_same(text: str, host: str, port: int) -> None:
    assert address.parse(text) == address.Address(host, port)
    assert str(address.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "80", ":80", "host", "host:", "host:0", "host:65536", "host:٣", "a b:1", "h:1\n"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|port"):
        address.parse(text)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "vi"),
        ({"LANG": "C.UTF-8"}, "vi"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "vi_VN", "LC_ALL": "en_US"}, "en"),
    ],
)
def test_the_language_comes_from_lang(environment: dict[str, str], expected: str) -> None:
    assert language(environment) == expected
