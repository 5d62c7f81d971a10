import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import machines
import schoolwatch_agent
from brokers import RunningBroker
from schoolwatch_agent import cli, doctor, lock, once, probes
from schoolwatch_agent.cli import main
from schoolwatch_agent.texts import Texts, language
from station import SmallServer, enrol

ROOM = Path(schoolwatch_agent.__file__).with_name("texts")


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "agent.toml"
    file.write_text('[agent]\ndata = "data"\nlanguage = "en"\n')
    return str(file)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the probes that wait or work for seconds; they have tests of their own."""
    some = tuple(p for p in probes.PROBES if p.name in ("memory", "uptime", "system", "processor"))
    monkeypatch.setattr(probes, "PROBES", some)
    monkeypatch.setattr(probes, "probes", lambda *_, **__: some)


def test_version_says_so_without_loading_what_it_does_not_need() -> None:
    program = (
        "import sys; from schoolwatch_agent.cli import main; main(['version']);"
        "print([m for m in ('paho', 'psutil', 'msgspec', 'sqlite3', 'ssl', 'asyncio') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [f"schoolwatch-agent {schoolwatch_agent.__version__}", "[]"]


@pytest.mark.parametrize("words", [[], ["--lang", "vi"]])
def test_no_command_shows_those_there_are(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    monkeypatch.setattr(sys, "argv", ["schoolwatch-agent", *words])
    assert main() == 2
    said = capsys.readouterr().err
    assert "  doctor " in said
    assert said.splitlines()[-1].startswith("Thiếu LỆNH")


def test_a_wrong_command_is_told_by_the_name_that_help_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fly", "--lang", "en"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "[-h] COMMAND ..." in said
    assert "argument COMMAND: invalid choice: 'fly'" in said


def test_once_json_is_what_probes_saw(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--config", config, "once", "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen.keys() == {"taken_at", "readings", "facts", "sightings"}
    (count,) = [r for r in seen["readings"] if r["metric"] == "processor.count"]
    assert count == {
        "metric": "processor.count",
        "value": count["value"],
        "unit": "count",
        "labels": {},
    }
    assert count["value"] >= 1
    assert {f["name"] for f in seen["facts"]} >= {"os.name", "os.version"}
    assert not (tmp_path / "data").exists()


def test_once_is_a_table(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["once", "--config", config, "--lang", "vi"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^SỐ ĐO +GIÁ TRỊ$", said, re.MULTILINE)
    assert re.search(r"^memory\.size +\d+ B$", said, re.MULTILINE)


def test_a_tick_stores_and_a_second_at_the_same_time_does_nothing(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with lock.held(tmp_path / "data") as is_ours:
        assert is_ours
        assert main(["tick", "--config", config]) == 0
        assert "Another cycle" in capsys.readouterr().err
        assert not (tmp_path / "data" / "spool.db").exists()
        assert main(["run", "--stay-connected", "--config", config]) == 1
    assert main(["tick", "--config", config]) == 0
    assert (tmp_path / "data" / "spool.db").exists()


@pytest.mark.parametrize(
    "words", [["tick"], ["run"], ["enrol", "--url", "https://127.0.0.1:1", "--token", "x"]]
)
def test_a_data_folder_that_is_none_is_exit_code_3_and_says_what_to_do(
    words: list[str], config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file")
    assert main([*words, "--config", config]) == 3
    said = capsys.readouterr().err
    assert "data folder cannot be used" in said
    assert "sudo" in said
    assert "--config agent.toml" in said


def test_a_tick_that_is_not_enrolled_says_so_in_one_line(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tick", "--config", config, "--lang", "vi"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Thiết bị chưa đăng ký: kết quả đo chỉ được giữ trên máy này.")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[agent]\nbogus = 1\n", "agent.bogus: không có mục cấu hình này"),
        ("[schedule]\nmeasure = 'x'\n", "schedule.measure: giá trị chưa đúng (Expected `float`"),
        ("[schedule]\nmeasure = 300\ndeliver = 60\n", "schedule.deliver: 60 nhỏ hơn schedule.measure (300)"),
        ("[server]\nurl = 'server'\n", "server.url: hãy viết dạng https://"),
        ("no", "không đúng dạng TOML ("),
    ],
)
def test_wrong_settings_are_told_in_vietnamese(
    settings: str, said: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(settings)
    assert main(["check-config", "--config", config, "--lang", "vi"]) == 2
    assert said in capsys.readouterr().err
    assert main(["doctor", "--config", config, "--lang", "vi"]) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check-config", "tick", "once", "enrol"])
def test_wrong_settings_are_exit_code_2_with_the_key(
    command: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text("[schedule]\nmeasure = 'x'\n")
    assert main([command, "--config", config, "--lang", "en"]) == 2
    assert "schedule.measure" in capsys.readouterr().err


def test_check_config_says_that_they_are_right(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "--config", config]) == 0
    assert config in capsys.readouterr().out


def test_probes_are_listed_with_their_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probes", "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "memory.available" in said
    assert re.search(r"^processor {2}\(each cycle\)$", said, re.MULTILINE)


def test_record_writes_a_file_and_refuses_an_unknown_probe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["record", "uptime", "memory", "--out", str(out), "--lang", "en"]) == 0
    assert json.loads((out / "uptime.json").read_text())["answers"]
    said = capsys.readouterr().out
    assert str(tmp_path / "out.zip") in said
    assert "look through it" in said
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert packed.namelist() == ["uptime.json", "memory.json"]
        assert packed.read("uptime.json") == (out / "uptime.json").read_bytes()
    assert main(["record", "--lang", "en"]) == 2
    assert "--all" in capsys.readouterr().err
    assert main(["record", "nonsense", "--lang", "en"]) == 2
    assert "uptime" in capsys.readouterr().err


def checks(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {check["check"]: check["state"] for check in json.loads(capsys.readouterr().out)["checks"]}


def test_doctor_before_anything_says_what_to_do(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", config, "--lang", "vi"]) == 1
    said = capsys.readouterr().out
    assert "✘ Thiết bị chưa đăng ký" in said
    assert "→ Xin mã đăng ký của nhà trường" in said
    assert main(["doctor", "--config", config, "--json"]) == 1
    found = checks(capsys)
    assert (found["config"], found["enrolment"], found["measured"]) == ("ok", "bad", "bad")
    assert found["spool"] == "unknown"


def test_doctor_finds_all_well_then_a_refused_password_then_no_broker(
    mosquitto: RunningBroker, config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server = SmallServer(mosquitto)
    enrol(tmp_path / "data", mosquitto)
    assert main(["tick", "--config", config]) == 0
    server.stop()
    main(["doctor", "--config", config, "--json"])
    found = checks(capsys)
    assert found["clock"] == "unknown"  # no web server here, whose clock it is held against
    assert {state for name, state in found.items() if name != "clock"} == {"ok"}
    assert {name for name in found if not name.startswith("probe.")} == {
        "config", "data", "clock", "enrolment", "name", "port", "login",
        "measured", "delivered", "acked", "spool",
    }  # fmt: skip
    enrol(tmp_path / "data", mosquitto, password="another")
    (tmp_path / "data" / "credential.json").chmod(0o644)
    assert main(["doctor", "--config", config, "--json"]) == 1
    found = checks(capsys)
    assert (found["login"], found["data"]) == ("bad", "bad")
    mosquitto.kill()
    assert main(["doctor", "--config", config, "--json"]) == 1
    found = checks(capsys)
    assert found["port"] == "bad"
    assert "login" not in found


def test_doctor_with_wrong_settings_or_a_damaged_spool_still_looks(
    config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "spool.db").write_bytes(b"no database" * 1000)
    assert main(["doctor", "--config", config, "--json"]) == 1
    assert checks(capsys)["spool"] == "bad"
    Path(config).write_text("nonsense = 1\n")
    assert main(["doctor", "--config", config, "--json", "--lang", "en"]) == 1
    assert checks(capsys)["config"] == "bad"


@pytest.mark.parametrize("room", sorted(ROOM.glob("*.toml")), ids=lambda path: path.stem)
def test_every_text_is_in_both_languages_with_the_same_places(room: Path) -> None:
    for key, pair in tomllib.loads(room.read_text("utf-8")).items():
        assert pair.keys() == {"vi", "en"}, key
        places = [set(re.findall(r"{(\w+)}", pair[tongue])) for tongue in ("vi", "en")]
        assert places[0] == places[1], key


def test_every_text_is_used() -> None:
    code = "".join(path.read_text() for path in ROOM.parent.rglob("*.py"))
    built = ("_advice", "help_", "outcome_", "skipped_", "spool_")
    for room in ROOM.glob("*.toml"):
        for key in tomllib.loads(room.read_text("utf-8")):
            words = key.removeprefix("reason_").replace("_", " ") if key.startswith("reason_") else key
            words = words.removeprefix("failure_").removeprefix("advice_").removeprefix("error_")
            assert words in code or any(part in key for part in built), key


def test_every_way_to_fail_to_enrol_has_its_words() -> None:
    code = "".join((ROOM.parent / name).read_text() for name in ("enrol.py", "commands.py"))
    texts = Texts("cli", "vi")
    keys = set(re.findall(r'EnrolError\("(\w+)"|\d{3}: "(\w+)"|key = "(\w+)"', code))
    keys = {key for found in keys for key in found if key} | {"unreachable", "server_error", "refused"}
    assert len(keys) >= 12
    assert [key for key in keys if not (texts.has(f"failure_{key}") and texts.has(f"advice_{key}"))] == []


def test_why_something_is_unknown_is_said_in_the_persons_language() -> None:
    english = {
        fact.reason
        for machine in machines.NAMES
        for probe in machines.PROBES
        for fact in machines.look(probe.name, machine).facts
        if fact.reason
    }
    assert len(english) >= 30
    problems = Texts("problems", "vi")
    assert {once.reason(words, problems) for words in english}.isdisjoint(english)


@pytest.mark.parametrize(
    ("wish", "environment", "expected"),
    [
        ("", {}, "vi"),
        ("", {"LANG": "C.UTF-8"}, "vi"),
        ("", {"LANG": "en_US.UTF-8"}, "en"),
        ("", {"LANG": "en_US.UTF-8", "LC_ALL": "vi_VN.UTF-8"}, "vi"),
        ("vi", {"LANG": "en_US.UTF-8"}, "vi"),
        ("en", {"LANG": "vi_VN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_wish_then_the_machines_then_vietnamese(
    wish: str, environment: dict[str, str], expected: str
) -> None:
    assert language(wish, environment) == expected


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (59, "59 s"), (600, "10 min"), (9000, "2 h"), (864_000, "10 days")]
)
def test_ages_are_said_as_people_do(seconds: float, said: str) -> None:
    assert doctor.age(seconds, Texts("doctor", "en")) == said


def test_a_timers_words_are_read_without_the_whole_command_line() -> None:
    program = (
        "import sys; from schoolwatch_agent.cli import main; code = main(sys.argv[1:]);"
        "print(code, [m for m in ('argparse', 'dataclasses', 'paho', 'ssl', 'psutil') if m in sys.modules])"
    )
    words = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {program}"]
    said = subprocess.run(
        [*words, "tick", "--config", "/nowhere/agent.toml"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "2 []\n"
    assert "/nowhere/agent.toml" in said.stderr


@pytest.mark.parametrize(
    "words", [["tick", "--lang", "fr"], ["tick", "--config"], ["tick", "--nonsense", "x"], ["tick", "--help"]]
)
def test_other_words_behind_tick_are_for_the_whole_command_line(words: list[str]) -> None:
    assert cli._timers(words) is None


def test_a_timers_options_are_as_everywhere() -> None:
    assert cli._timers(["tick"]) == (None, "")
    assert cli._timers(["tick", "--lang", "vi", "--config", "x"]) == (Path("x"), "vi")


@pytest.mark.parametrize(
    ("words", "code"), [(["version"], 0), (["tick", "--config", "/nowhere/agent.toml"], 2)]
)
def test_the_process_ends_with_the_commands_exit_code_and_all_that_was_written(
    words: list[str], code: int
) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "schoolwatch_agent", *words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == code
    said = {
        "version": (f"schoolwatch-agent {schoolwatch_agent.__version__}\n", ""),
        "tick": ("", "/nowhere/agent.toml"),
    }
    out, err = said[words[0]]
    assert ran.stdout == out
    assert err in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_the_output_is_not_taken_for_success() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "schoolwatch_agent", "version"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ran.returncode != 0
