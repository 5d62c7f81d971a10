"""Quarantine and the test of channels from the command line."""

from pathlib import Path

import pytest

from databases import make_database
from schoolwatch_server import channels, cli
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.database import quarantine
from schoolwatch_server.database.engine import begin_write, open_database

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
SECRET = "json://user:hunter2@127.0.0.1:9/hook"


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A data folder with a verified frame (1) that still can't be read, and an unverified one (2)."""
    engine = open_database(make_database(tmp_path), tmp_path)
    with begin_write(engine) as conn:
        for verified in (True, False):
            one = quarantine.row(
                received_at=1.0,
                topic="x",
                device=None,
                reason="topic",
                detail="",
                verified=verified,
                frame=b"x",
            )
            quarantine.add(conn, [one])
    engine.dispose()
    return str(tmp_path)


@pytest.mark.parametrize(
    ("ids", "code", "out", "err"),
    [
        (["999"], 2, "", ["999: not in quarantine"]),
        ([str(2**63 - 1)], 2, "", [f"{2**63 - 1}: not in quarantine"]),
        (["2"], 2, "", ["2: not verified, can't be replayed"]),
        (["2", "9"], 2, "", ["2: not verified, can't be replayed", "9: not in quarantine"]),
        (["1"], 0, "0 taken in, 1 refused again", []),
        (["1", "2"], 2, "0 taken in, 1 refused again", ["2: not verified, can't be replayed"]),
        ([], 0, "0 taken in, 1 refused again", []),
    ],
)
def test_replay_says_of_each_number_why_it_can_not_be(
    data: str, capsys: pytest.CaptureFixture[str], ids: list[str], code: int, out: str, err: list[str]
) -> None:
    assert cli.main(["quarantine", "replay", *ids, "--data", data]) == code
    said = capsys.readouterr()
    assert said.out.split("\n")[0] == out
    assert said.err.splitlines() == [f"schoolwatch-server: {line}" for line in err]


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--limit", "0"],
        ["list", "--limit", "10001"],
        ["list", "--limit", "-1"],
        ["show", str(2**63)],
        ["show", "9" * 5000],
        ["show", "0"],
        ["replay", "1", str(2**64)],
        ["replay", "١"],
    ],
)
def test_numbers_out_of_bounds_are_refused(
    data: str, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["quarantine", *words, "--data", data])
    assert "error: argument" in capsys.readouterr().err


def test_a_list_at_its_bound_is_shown(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["quarantine", "list", "--limit", "10000", "--data", data]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_notify_test_names_each_channel_and_never_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    urls = tmp_path / "urls"
    urls.write_text(f"{SECRET}\n://hunter2\n")
    urls.chmod(0o600)
    (tmp_path / "server.toml").write_text('[notify]\nurls_file = "urls"\n')
    assert cli.main(["notify", "test", "--data", str(tmp_path)]) == FAILED
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"{channels.name(SECRET)}: no answer",
        f"{channels.name('://hunter2')}: not an address that Apprise knows",
    ]
    assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("", "notify.urls_file"),
        ('[notify]\nurls_file = "nowhere"\n', "there is no file"),
        ('[notify]\nurls_file = "server.toml"\n', "chmod 600"),
    ],
)
def test_notify_test_without_addresses_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str, says: str
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(settings)
    file.chmod(0o644)
    assert cli.main(["notify", "test", "--data", str(tmp_path)]) == FAILED
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_the_version_is_printed_and_the_inner_broker_is_not_offered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out.startswith("schoolwatch-server ")
    with pytest.raises(SystemExit):
        cli.main(["nonsense"])
    said = capsys.readouterr().err
    assert "'version'" in said
    assert "amqtt" not in said
