"""A real Grafana for tests: the one at GRAFANA_URL (token in GRAFANA_TOKEN), or one started from PATH."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from conftest import Peer, find_program


@dataclass(frozen=True)
class RealGrafana:
    """Where it answers, and a token of a service account that is Admin."""

    url: str
    token: str

    def ask(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=30)


@contextlib.contextmanager
def real(peer: Peer, folder: Path, free_port: Callable[[], int]) -> Iterator[RealGrafana]:
    """Skips the test where there is none."""
    if "GRAFANA_URL" in os.environ:
        yield RealGrafana(os.environ["GRAFANA_URL"].rstrip("/"), os.environ["GRAFANA_TOKEN"])
        return
    newer = find_program("grafana")  # since 9.4; the other one is left out of newer packages
    command = [str(newer), "server"] if newer is not None else [str(peer("grafana-server"))]
    port = free_port()
    settings = {
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "logs"),
        "GF_PATHS_PLUGINS": str(folder / "plugins"),
        "GF_SECURITY_ADMIN_PASSWORD": "a password for tests",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    }
    home = os.environ.get("GRAFANA_HOME", "/usr/share/grafana")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--homepath={home}"], env={**os.environ, **settings}, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, folder / "log")
        yield RealGrafana(url, _token(url))
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/api/health").status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError("Grafana does not answer")


def _token(url: str) -> str:
    """https://grafana.com/docs/grafana/latest/developers/http_api/serviceaccount/"""
    with httpx.Client(base_url=url, auth=("admin", "a password for tests"), timeout=30) as admin:
        made = admin.post("/api/serviceaccounts", json={"name": "tests", "role": "Admin"})
        path = f"/api/serviceaccounts/{made.raise_for_status().json()['id']}/tokens"
        key: str = admin.post(path, json={"name": "tests"}).raise_for_status().json()["key"]
        return key
