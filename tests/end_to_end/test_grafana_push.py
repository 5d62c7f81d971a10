"""`grafana push` on a real Grafana, where there is one: once, not twice, and nothing of others'."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import Peer
from grafana import RealGrafana, real
from schoolwatch_server.cli import main
from schoolwatch_server.grafana import DASHBOARDS


@pytest.fixture(scope="module")
def grafana(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[RealGrafana]:
    with real(peer, tmp_path_factory.mktemp("grafana"), free_port) as running:
        yield running


def test_everything_is_there_and_a_second_push_changes_nothing(
    grafana: RealGrafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("token", grafana.token), ("reads", "sw_reads"), ("alerts", "sw_alerts")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)

    def push(*words: str) -> str:
        files = {"--token-file": "token", "--source-token-file": "reads", "--alert-token-file": "alerts"}
        given = [word for option, name in files.items() for word in (option, str(tmp_path / name))]
        asked = ["grafana", "push", "--url", grafana.url, "--data", str(tmp_path / "data"), *given, *words]
        code, said = main(asked), capsys.readouterr()
        assert code == 0, said.err
        assert "keeps it otherwise" not in said.err
        return said.out

    push()
    for one in DASHBOARDS:
        held = grafana.ask(f"/api/dashboards/uid/{one.uid}")
        assert held.status_code == 200
        assert held.json()["meta"]["folderUid"] == "schoolwatch"
    rules = grafana.ask("/api/v1/provisioning/alert-rules").json()
    assert "schoolwatch-server-deaf" in {rule["uid"] for rule in rules}
    assert push().startswith("0 changed")
    assert push("--prune", "--dry-run").startswith("0 would change")
    push("--no-alerts", "--prune")
    rules = grafana.ask("/api/v1/provisioning/alert-rules").json()
    assert not {rule["uid"] for rule in rules if rule["uid"].startswith("schoolwatch-")}
