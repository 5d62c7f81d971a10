"""The checklist names only what is there; the dossier says of the server what is so and what is unknown."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from sqlalchemy import update

from databases import drop_trigger, settings_of
from reports import NOW, World
from schoolwatch_server import __version__, cli
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.backup import status
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.commands.dossier import FILES
from schoolwatch_server.config import Backup, Http, ServerConfig, of_data
from schoolwatch_server.database import people, tables
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.standing import standing
from schoolwatch_server.law import level3, state
from schoolwatch_server.law.basis import SURE
from schoolwatch_server.scope import EVERYTHING

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "schoolwatch-server"


def commands(parser: argparse.ArgumentParser, before: str) -> Iterator[str]:
    """Every word of a program with the words below it, such as "schoolwatch-server notify test"."""
    yield before
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from commands(below, f"{before} {name}")


def exists(shown: str) -> bool:
    """Whether what an item points to is there: a command, a page, a setting or a document."""
    kind, _, rest = shown.partition(" ")
    if kind == PROGRAM:
        return shown in {*commands(cli._parser(), kind)}
    if kind in {"GET", "POST"}:
        return (kind, rest) in {(route.method, route.path) for route in ROUTES}
    if kind == "server.toml":
        value: object = ServerConfig()
        for name in rest.split("."):
            value = getattr(value, name, None)
        return value is not None
    return kind.startswith("docs/") and (ROOT / kind).is_file()


def test_every_command_page_setting_and_document_that_is_named_is_there() -> None:
    shown = [one for item in level3.items() for one in item.shown]
    assert len(shown) > 20
    assert [one for one in shown if not exists(one)] == []


@pytest.mark.parametrize(
    "shown", ["schoolwatch-server fly", "GET /nowhere", "server.toml retention.no_days", "docs/no.md", "x"]
)
def test_what_is_not_there_would_be_noticed(shown: str) -> None:
    assert not exists(shown)


def test_what_is_claimed_is_shown_and_what_is_not_met_whole_says_what_is_missing() -> None:
    for item in level3.items():
        assert item.own, item.topic
        if item.met in {"yes", "part"}:
            assert item.product, item.topic
            assert item.shown, item.topic
        if item.met == "no":
            assert item.missing, item.topic


def test_every_requirement_is_printed_with_how_it_was_read() -> None:
    document = level3.checklist()
    for item in level3.items():
        rows = next(section.rows for section in document.sections if section.title.endswith(item.topic))
        said = dict(rows)
        assert said["Căn cứ"].endswith(f"({SURE[item.sure]})")
        assert said["Mức đáp ứng của phần mềm"] == level3.MET[item.met]
        if "331/2026" in item.clause or "14423" in item.clause:
            assert item.sure != "original", item.topic


def test_an_unknown_word_in_the_sheet_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"topic": "x", "no": 1}, level3.Item)


Write = Callable[..., int]


@pytest.fixture
def write(world: World, tmp_path: Path) -> Write:
    def run(*words: str, out: str = "dossier") -> int:
        return cli.main(["dossier", "--data", str(tmp_path), "--out", str(tmp_path / out), *words])

    return run


def test_the_dossier_is_written_with_the_servers_real_condition(
    world: World, write: Write, tmp_path: Path
) -> None:
    world.enrol(3)
    with begin_write(world.engine) as conn:
        people.add_account(
            conn, "a", password_hash="x", role="auditor", scope=EVERYTHING, language="vi", now=NOW
        )
        people.record(conn, actor="a", action="login", subject="a", detail={}, now=NOW)
    with (tmp_path / "server.toml").open("a") as settings:
        settings.write("[retention]\njournal_days = 33\n")
    assert write() == 0
    pages = {name: (tmp_path / "dossier" / name).read_text("utf-8") for name in FILES}
    said = pages[FILES[0]]
    assert f"<td>{__version__}</td>" in said
    assert "<td>Thiết bị đang dùng</td><td>3</td>" in said
    assert "kiểm tra, thanh tra (chỉ xem): 1" in said
    assert "kiểm tra, thanh tra (chỉ xem): 0/1 (bắt buộc)" in said
    assert "1 dòng, từ" in said
    assert said.count("không: chỉ nghe trên chính máy chủ") == 2
    assert "toàn vẹn, 1 dòng" in said
    assert "33 ngày" in said
    assert "33 ngày" in pages[FILES[1]]
    assert "33 ngày" in pages[FILES[2]]
    assert "<td>Kênh thông báo sự cố</td><td>chưa khai báo</td>" in said
    assert write() == FAILED, "an older dossier is never overwritten"


def test_a_channel_of_the_console_is_a_channel(world: World, write: Write, tmp_path: Path) -> None:
    row = {"name": "Zalo", "kind": "zalo", "address": b"x", "changed_at": NOW}
    with begin_write(world.engine) as conn:
        conn.execute(tables.channel.insert(), row)
    (tmp_path / "server.toml").touch()
    assert write() == 0
    said = (tmp_path / "dossier" / FILES[0]).read_text("utf-8")
    assert "<td>Kênh thông báo sự cố</td><td>có khai báo</td>" in said


def test_what_the_server_cannot_know_is_unknown_with_the_reason(world: World, tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path / "nowhere"), http=Http(host="0.0.0.0"))
    with begin_read(world.engine) as conn:
        told = dict(state.facts(config, standing(conn), "x", NOW))
    assert told["Khóa chủ của dữ liệu bí mật"].startswith("chưa rõ")
    assert "chưa rõ hạn" in told["Bảng điều khiển qua HTTPS"]
    assert told["Nhật ký thao tác"] == "chưa có dòng nào"
    assert told["Tài khoản đăng nhập được"] == "không có"


def test_until_when_the_certificate_holds_is_read_from_it(world: World, tmp_path: Path) -> None:
    for action in ("init", "renew"):
        assert cli.main(["ca", action, "--data", str(tmp_path)]) == 0
    config = of_data(tmp_path)
    config = msgspec.structs.replace(config, http=Http(host="0.0.0.0"))
    with begin_read(world.engine) as conn:
        told = dict(state.facts(config, standing(conn), "x", NOW))
    ends = x509.load_pem_x509_certificate((tmp_path / "tls" / "server.pem").read_bytes()).not_valid_after_utc
    assert told["Bảng điều khiển qua HTTPS"].endswith(state.moment(ends.timestamp()))


def test_whether_the_roots_key_is_still_on_the_server_is_told_as_it_is(world: World, tmp_path: Path) -> None:
    def told() -> str:
        with begin_read(world.engine) as conn:
            return dict(state.facts(of_data(tmp_path), standing(conn), "x", NOW))["Khóa gốc của CA riêng"]

    assert told() == "chưa có CA riêng"
    assert cli.main(["ca", "init", "--data", str(tmp_path)]) == 0
    assert told().startswith("CÒN TRÊN MÁY CHỦ")
    (tmp_path / "ca" / "root.key").unlink()
    assert told() == "đã cất ngoài máy chủ"


def test_the_backups_are_told_as_they_came_out(world: World, tmp_path: Path) -> None:
    def told(folder: Path) -> dict[str, str]:
        config = settings_of(folder, backup=Backup(target="/far"))
        with begin_read(world.engine) as conn:
            return dict(state.facts(config, standing(conn), "x", NOW))

    assert "chưa sao lưu lần nào" in told(tmp_path)["Bản sao lưu gần nhất"]
    done = status.Done(NOW - 3600, 1.0, "/far", "s", 1, 1, {})
    status.change(tmp_path, done=done, proved=status.Proved(NOW, NOW - 3600))
    fresh = told(tmp_path)
    assert fresh["Bản sao lưu gần nhất"] == f"{state.moment(NOW - 3600)} tới /far (đúng hạn)"
    assert fresh["Lần khôi phục thử gần nhất"].startswith(state.moment(NOW))
    status.change(tmp_path, failed=status.Failed(NOW, "x"))
    assert "thất bại" in told(tmp_path)["Bản sao lưu gần nhất"]
    (tmp_path / "backup" / "status.json").write_text("{")
    assert told(tmp_path)["Lần khôi phục thử gần nhất"].startswith("chưa rõ")


def test_an_audit_log_that_was_changed_is_said_to_be_changed(
    world: World, write: Write, tmp_path: Path
) -> None:
    with begin_write(world.engine) as conn:
        people.record(conn, actor="a", action="login", subject="a", detail={}, now=NOW)
        drop_trigger(conn, "audit_no_change", "audit")
        conn.execute(update(tables.audit).values(actor="b"))
    assert write() == 0
    assert "KHÔNG TOÀN VẸN" in (tmp_path / "dossier" / FILES[0]).read_text("utf-8")


def test_of_simulated_data_every_page_says_so(world: World, write: Write, tmp_path: Path) -> None:
    from schoolwatch_server.database import simulated

    with begin_write(world.engine) as conn:
        simulated.mark(conn)
    assert write() == 0
    for name in FILES:
        assert 'class="simulated"' in (tmp_path / "dossier" / name).read_text("utf-8")
