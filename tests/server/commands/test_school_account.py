"""Schools and accounts from the command line: what is made, listed and refused."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from databases import make_database
from schoolwatch_server import cli, people
from schoolwatch_server.access import ROLES, SCOPES
from schoolwatch_server.commands.command import FAILED
from schoolwatch_server.config import of_data
from schoolwatch_server.database import audit as audit_log
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.scope import EVERYTHING

Call = Callable[..., tuple[int, str, str]]
NEW = ("--commune", "C1", "--commune-name", "Xã Một", "--province", "P1", "--province-name", "Tỉnh Một")


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command on a migrated data folder: exit code, output, errors."""
    make_database(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main([*words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def audit(folder: Path) -> list[tuple[str, str, str]]:
    engine = open_database(of_data(folder).database_url, folder)
    with begin_read(engine) as conn:
        found = [(row.actor, row.action, row.subject) for row in audit_log.newest(conn, 9)]
    engine.dispose()
    return found


def test_a_school_is_added_with_its_commune_and_province_and_the_next_needs_only_the_commune(
    tmp_path: Path, call: Call
) -> None:
    assert call("school", "list") == (0, "there is no school yet: see `school add`\n", "")
    assert call("school", "add", "S1", "Trường Một", "--level", "THCS", *NEW)[0] == 0
    assert call("school", "add", "S2", "Trường Hai", "--commune", "C1")[0] == 0
    code, out, _ = call("school", "list")
    assert code == 0
    assert sorted(out.splitlines()) == [
        "S1  THCS  Trường Một, Xã Một, Tỉnh Một",
        "S2  -  Trường Hai, Xã Một, Tỉnh Một",
    ]
    assert audit(tmp_path) == [
        ("command line", "school.create", "S2"),
        ("command line", "school.create", "S1"),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("S1", "Trường", "--commune", "C1"), "school S1 already"),
        (("S2", "Trường", "--commune", "C2"), "--commune-name"),
        (("S2", "Trường", "--commune", "C2", "--commune-name", "Xã"), "--province CODE"),
        (("S2", "T", "--commune", "C2", "--commune-name", "Xã", "--province", "P2"), "--province-name"),
        (("S2", "T", "--commune", "C1", "--commune-name", "Xã khác"), "leave out --commune-name"),
        (("S2", "T", "--commune", "C1", "--province", "P2"), "not in P2"),
        (("Số 2", "Trường", "--commune", "C1"), "the school's code"),
        (("S" * 21, "Trường", "--commune", "C1"), "the school's code"),
        (("S2", "", "--commune", "C1"), "the school's name"),
        (("S2", "a\x1b[2J", "--commune", "C1"), "the school's name"),
    ],
)
def test_a_school_that_does_not_fit_is_refused_and_nothing_is_made(
    tmp_path: Path, call: Call, words: tuple[str, ...], says: str
) -> None:
    assert call("school", "add", "S1", "Trường Một", *NEW)[0] == 0
    code, _, said = call("school", "add", *words)
    assert (code, said.count("\n")) == (FAILED, 1)
    assert says in said
    engine = open_database(of_data(tmp_path).database_url, tmp_path)
    with begin_read(engine) as conn:
        assert [c.code for c in registry.communes(conn, EVERYTHING)] == ["C1"]
        assert [p.code for p in registry.provinces(conn, EVERYTHING)] == ["P1"]
        assert [s.code for s in registry.schools(conn, EVERYTHING)] == ["S1"]
    engine.dispose()


@pytest.mark.parametrize(
    ("role", "where", "sees"),
    [
        ("so_admin", (), "everything"),
        ("auditor", ("--province", "P1"), "province P1"),
        ("commune", ("--commune", "C1"), "commune C1"),
        ("school_head", ("--school", "S1"), "school S1"),
        ("technician", ("--school", "S1"), "school S1"),
    ],
)
def test_an_account_is_added_whose_printed_password_opens_it(
    tmp_path: Path, call: Call, role: str, where: tuple[str, ...], sees: str
) -> None:
    call("school", "add", "S1", "Trường Một", *NEW)
    code, password, _ = call("account", "add", "lan", "--role", role, *where)
    assert code == 0
    engine = open_database(of_data(tmp_path).database_url, tmp_path)
    assert people.log_in(engine, "lan", password.strip(), address="", now=1.0) is not None
    engine.dispose()
    assert call("account", "list") == (0, f"lan  {role}  {sees}\n", "")
    assert ("command line", "account.create", "lan") in audit(tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("hoa", "--role", "school_head"), "--school CODE"),
        (("hoa", "--role", "school_head", "--commune", "C1"), "--school CODE"),
        (("hoa", "--role", "so_admin", "--school", "S1"), "say nothing, or --province CODE"),
        (("hoa", "--role", "technician"), "--school CODE or --commune CODE"),
        (("hoa", "--role", "school_head", "--school", "S9"), "no school with the code 'S9'"),
        (("hoa", "--role", "commune", "--commune", "C9"), "no commune with the code 'C9'"),
        (("lan", "--role", "so_viewer"), "an account 'lan' already"),
        (("", "--role", "so_viewer"), "1 to 80 printable"),
    ],
)
def test_an_account_that_does_not_fit_is_refused_in_one_line(
    call: Call, words: tuple[str, ...], says: str
) -> None:
    call("school", "add", "S1", "Trường Một", *NEW)
    call("account", "add", "lan", "--role", "so_admin")
    code, out, said = call("account", "add", *words)
    assert (code, out, said.count("\n")) == (FAILED, "", 1)
    assert says in said
    assert call("account", "list")[1] == "lan  so_admin  everything\n"


def test_every_role_has_a_scope_that_it_is_made_for() -> None:
    assert SCOPES.keys() == ROLES.keys()
    assert all(SCOPES.values())


def test_a_terminal_without_vietnamese_letters_gets_the_list_all_the_same(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("school", "add", "S1", "Trường Một", *NEW)
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding="ascii") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        assert call("school", "list")[0] == 0
        terminal.flush()
        assert written.getvalue().startswith(b"S1  -  Tr??ng M?t")


def test_a_list_of_schools_is_looked_through_then_imported(tmp_path: Path, call: Call) -> None:
    file = tmp_path / "schools.csv"
    file.write_text("Mã trường,Tên trường,Mã xã,Tên xã,Mã tỉnh,Tỉnh\nS1,Trường Một,C1,Xã Một,P1,Tỉnh Một\n")
    code, out, _ = call("school", "import", str(file), "--lang", "en")
    assert (code, "row 2: add S1 Trường Một" in out, "run it again with --apply" in out) == (0, True, True)
    assert call("school", "list")[1].startswith("there is no school yet")
    assert call("school", "import", str(file), "--apply", "--lang", "vi")[1].endswith(
        "Đã thêm 1 trường, sửa 0 trường, thêm 1 xã/phường; 0 trường giữ nguyên.\n"
    )
    assert call("school", "list")[1] == "S1  -  Trường Một, Xã Một, Tỉnh Một\n"
    assert audit(tmp_path) == [("command line", "school.import", "")]

    file.write_text("Mã trường,Tên trường,Số học sinh\nS1,Trường Một,nhiều\n")
    code, out, err = call("school", "import", str(file), "--apply", "--lang", "vi")
    assert (code, "dòng 2, cột C (Số học sinh): “nhiều” không phải là số đếm" in out) == (FAILED, True)
    assert "Có 1 chỗ cần sửa; chưa nhập gì" in err
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert "Excel 97-2003" in call("school", "import", str(file), "--lang", "en")[2]


def test_a_template_is_written_and_never_over_a_file(tmp_path: Path, call: Call) -> None:
    file = tmp_path / "schools.xlsx"
    assert call("school", "template", str(file))[0] == 0
    assert call("school", "import", str(file), "--lang", "en")[1].startswith(
        "schools.xlsx: 0 rows of schools"
    )
    code, _, err = call("school", "template", str(file))
    assert (code, "File exists" in err) == (FAILED, True)


def test_devices_in_use_are_listed_with_what_other_commands_ask_for(tmp_path: Path, call: Call) -> None:
    assert call("device", "list") == (0, "no device is in use there\n", "")
    call("school", "add", "S1", "Trường Một", *NEW)
    call("school", "add", "S2", "Trường Hai", "--commune", "C1")
    engine = open_database(of_data(tmp_path).database_url, tmp_path)
    with begin_write(engine) as conn:
        room = registry.create_room(conn, 1, "Phòng Tin", "student_lab")
        first = registry.create_device(conn, 1, room, "Máy 1", 1.0).device
        second = registry.create_device(conn, 2, None, "", 1.0).device
    engine.dispose()
    line = f"{second}  S2  -  -  never heard\n"
    assert call("device", "list")[1] == line + f"{first}  S1  Phòng Tin  Máy 1  never heard\n"
    assert call("device", "list", "--school", "S2")[1] == line
    assert "there is no school 'S3'" in call("device", "list", "--school", "S3")[2]
