"""The server's settings: the shipped sample, defaults, and errors that say which key and what to do."""

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_contract import settings
from schoolwatch_contract.settings import Endpoint
from schoolwatch_server import cli, config, targets
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.config import ConfigError, ServerConfig


def test_the_sample_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text(config.SAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    assert config.load(path) == msgspec.structs.replace(ServerConfig(), data=str(tmp_path / "data"))


def test_the_sample_with_every_key_uncommented_is_the_defaults_and_names_every_key() -> None:
    text = re.sub(r"^# ", "", config.SAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert tomllib.loads(text) == json.loads(msgspec.json.encode(ServerConfig()))


def test_targets_become_what_a_device_is_told() -> None:
    text = """
        http.public_url = "https://so.example/schoolwatch"
        [ipv6]
        dual_stack = ["one.example", "[2001:db8::1]:8443", "http://two.example"]
        large = "192.0.2.9:80"
        [bandwidth]
        url = "https://so.example/"
        window = "7:30-24:00"
    """
    wanted = config.parse(text, Path("/server.toml")).targets
    told = targets.settings(wanted, measures_use=False, tests_line=True)
    assert told.ipv6.dual_stack == (
        Endpoint("one.example", 443),
        Endpoint("2001:db8::1", 8443),
        Endpoint("two.example", 80, tls=False),
    )
    assert told.ipv6.server == told.quality.server == Endpoint("so.example", 443)
    assert told.ipv6.large == Endpoint("192.0.2.9", 80)
    assert told.bandwidth.window == (450, 1440)
    assert targets.settings(wanted, measures_use=False, tests_line=False).bandwidth == settings.Bandwidth()


def test_paths_count_from_the_files_folder(tmp_path: Path) -> None:
    loaded = config.parse('data = "x"\n[mqtt]\npassword_file = "s/p"\n', tmp_path / "a" / "server.toml")
    assert loaded.data == str(tmp_path / "a" / "x")
    assert loaded.mqtt.password_file == str(tmp_path / "a" / "s" / "p")
    assert loaded.database_url == f"sqlite:///{tmp_path}/a/x/schoolwatch.db"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[http]\nprot = 1", "http.prot: no such key"),
        ("colour = 1", "colour: no such key"),
        ("[http]\nport = 70000", "http.port"),
        ('[http]\nport = "80"', "http.port"),
        ('[broker]\nkind = "emqx"', "broker.kind"),
        ("[evaluation]\nevery = 0.0", "evaluation.every"),
        ("[privacy]\nroom_devices = 2", "privacy.room_devices: Expected `int` >= 3: correct it"),
        ("[http", "is not TOML"),
        ('[mqtt]\nhost = "a\\nlistener 1"', "mqtt.host"),
        ("a = " + "[" * 5000, "is "),
        ('data = ""', "data: names no folder"),
        ('[ipv6]\ndual_stack = ["a b:443"]', "ipv6.dual_stack: 'a b' is not a host name"),
        ('[ipv6]\ndual_stack = ["one.example:0"]', "ipv6.dual_stack: 'one.example:0' is no HOST:PORT"),
        ('[ipv6]\ndual_stack = ["a", "b", "c", "d", "e"]', "ipv6.dual_stack: "),
        ('[ipv6]\nv6_only_name = "a/b"', "ipv6.v6_only_name: 'a/b' is not a host name"),
        ('[ipv6]\nlarge = "2001:db8::1"', "ipv6.large: '2001:db8::1' is no HOST:PORT"),
        ('[quality]\nhosts = ["-; rm"]', "quality.hosts: '-; rm' is not a host name"),
        ('[quality]\nhosts = "one.example"', "quality.hosts: "),
        ('[bandwidth]\nurl = "ftp://x"', "bandwidth.url: 'ftp://x' is not an address"),
        ('[bandwidth]\nwindow = "17:00-07:00"', "bandwidth.window: '17:00-07:00' is no span"),
        ('[bandwidth]\nwindow = "07:00-24:30"', "bandwidth.window: "),
        ("[bandwidth]\ntests_a_day = 25", "bandwidth.tests_a_day: "),
    ],
)
def test_an_error_names_the_file_and_the_key_on_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, tmp_path / "server.toml")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'server.toml'}: ")
    assert says in message
    assert "\n" not in message


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: can't be read"):
        config.load(tmp_path / "nowhere.toml")


def test_a_data_folder_uses_its_own_server_toml(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("[retention]\njournal_days = 7\n")
    own = config.of_data(tmp_path)
    assert (own.retention.journal_days, own.folder) == (7, tmp_path)
    assert config.of_data(tmp_path / "empty").retention.journal_days == 14


def test_what_is_rendered_is_read_back_the_same(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('[database]\nurl = "postgresql+psycopg://u@h/d?x=\\"\\u007f"\n')
    first = config.of_data(tmp_path)
    assert config.parse(config.render(first), tmp_path / "run" / "server.toml") == first


@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_config_error(text: str) -> None:
    said = ""
    try:
        config.parse(text, Path("/x/server.toml"))
    except ConfigError as error:
        said = str(error)
    assert said == "" or said.startswith("/x/server.toml: ")


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("rules/wrong.yaml", "id: wrong\n", "wrong.yaml"),
        ("packs/wrong.yaml", "id: wrong\n", "wrong.yaml"),
        ("server.toml", "[http]\nprot = 1\n", "http.prot"),
    ],
)
def test_check_config_names_the_file_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, says: str
) -> None:
    assert cli.main(["check-config", "--data", str(tmp_path)]) == 0
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    capsys.readouterr()
    assert cli.main(["check-config", "--data", str(tmp_path)]) == FAILED
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[database]\nurl = "foo://x/y"', "database.url: the database URL cannot be used"),
        ('[database]\nurl = "oracle+nodriver://u:hunter2@h/d"', "database.url: "),
        ('[database]\nurl = "postgresql://u:hunter2@h:port/d"', "database.url: "),
        ('[database]\nurl = "nonsense"', "database.url: "),
        ('[notify]\nurls_file = "nowhere"', "notify.urls_file: there is no file"),
        ('[evaluation]\npacks = "nowhere"', "evaluation.packs: there is no folder"),
        ('[evaluation]\nrules = "server.toml"', "evaluation.rules: there is no folder"),
        ('[mqtt]\ntls_ca = "nowhere.pem"', "mqtt.tls_ca: there is no file"),
    ],
)
def test_check_config_finds_what_is_named_and_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (tmp_path / "server.toml").write_text(text)
    assert cli.main(["check-config", "--data", str(tmp_path)]) == FAILED
    said = capsys.readouterr().err
    assert says in said
    assert "hunter2" not in said
    assert said.count("\n") == 1


def test_an_empty_data_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", "--data", ""]) == FAILED
    said = capsys.readouterr().err
    assert "--data is empty" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('database.url = "postgresql+psycopg://schoolwatch:hunter2@db/schoolwatch"', "database.url"),
        ('database.url = "postgresql+psycopg://schoolwatch:a/hunter2@db/schoolwatch"', "database.url"),
        ('database.url = "postgresql+psycopg://schoolwatch@db/s?password=hunter2"', "database.url"),
        ('http.public_url = "https://lan:hunter2@so.example/"', "http.public_url"),
        ('mqtt.password = "hunter2"', "mqtt.password"),
        ('mqtt.passwd = "hunter2"', "mqtt.passwd"),
        ('secrets.master_key = "hunter2"', "secrets.master_key"),
        ('notify.token = "hunter2"', "notify.token"),
    ],
)
def test_a_secret_in_the_settings_is_refused_with_where_it_belongs_and_not_repeated(
    text: str, key: str
) -> None:
    with pytest.raises(ConfigError, match=r"file|PGPASSFILE") as refused:
        config.parse(text, Path("/server.toml"))
    assert f"/server.toml: {key}: " in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_address_without_a_password_is_none_to_refuse() -> None:
    for end in ("", "?passfile=/etc/schoolwatch/pgpass"):
        text = f'database.url = "postgresql+psycopg://schoolwatch@[2001:db8::1]:5432/schoolwatch{end}"'
        assert config.parse(text, Path("/server.toml")).database.url.endswith(f"/schoolwatch{end}")
