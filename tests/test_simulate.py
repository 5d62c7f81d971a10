"""`./schoolwatch simulate`: a province to look at, that says of itself what it is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from influxql_queries import asked
from panels_world import expanded
from parts import simulate as simulating
from schoolwatch_server.config import of_data
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import registry, simulated
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.grafana import DASHBOARDS, influxql
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.queried import Queried

ROOT = Path(__file__).resolve().parent.parent


def simulate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = {"PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), str(ROOT / "benchmarks")))}
    command = [sys.executable, "-m", "parts.simulate", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env={**os.environ, **path})


@pytest.mark.timeout(300)
def test_a_province_to_look_at_fills_the_dashboards_and_says_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "tinh"
    made = simulate(folder, "--schools", "30", "--devices", "2", "--days", "1")
    assert made.returncode == 0, made.stderr
    assert f"up --no-agent --data {folder}" in made.stdout
    engine = database.open_database(of_data(folder).database_url)
    now = time.time()
    with database.begin_read(engine) as conn:
        assert simulated.is_simulated(conn)
        schools = registry.schools(conn, EVERYTHING)
        (device, *_) = registry.devices(conn, EVERYTHING, school_id=20)
        assert len(schools) == 30
        shown = {name for one in schools for name in (one.name, one.commune, one.province)} | {device.label}
        assert [name for name in shown if "mô phỏng" not in name] == []
        source = Queried(conn, JudgedIndex(), EVERYTHING, now)
        chosen = {
            "province": "1", "commune": "2", "school": "20", "isp": "VNPT",
            "indicator": "telemetry_coverage", "device": device.device, "gateway": device.device,
        }  # fmt: skip
        empty, count = [], 0
        for query in {q for one in DASHBOARDS for panel in one.panels for q in panel.queries}:
            start = int(now - 86_400) * 1000
            text = expanded(influxql.query(query), chosen, start, int(now) * 1000, "2h")
            count += 1
            if "series" not in asked(text, source)["results"][0]:
                empty.append(text)
        # of two schools of each commune a gateway and a computer can be chosen that measured something
        for school in (1, 2, 15, 16):
            gateway, computer = registry.devices(conn, EVERYTHING, school_id=school)
            assert {gateway.role, computer.role} == {"gateway", "student_lab"}
            for one in (gateway, computer):
                text = (
                    f"SELECT count(value) FROM link_speed WHERE device = '{one.device}' AND time > {start}ms"
                )
                assert asked(text, source)["results"][0]["series"]
    engine.dispose()
    assert len(empty) < count / 50, empty
    assert "single readings: of schools 1, 2, 15, 16, 20, 30\n" in made.stdout


def test_what_is_there_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter").write_text("to the headmaster")
    for folder, says in ((tmp_path, "not empty"), (tmp_path / "letter", "no folder")):
        monkeypatch.setattr(sys, "argv", ["simulate", str(folder)])
        assert simulating.main() == 2
        assert says in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["simulate", str(tmp_path / "other"), "--schools", "3"])
    with pytest.raises(SystemExit) as ended:
        simulating.main()
    assert ended.value.code == 2
    assert [one.name for one in tmp_path.iterdir()] == ["letter"]
