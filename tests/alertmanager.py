"""A real Prometheus Alertmanager for tests: started on loopback, asked, killed, started again, ended."""

import json
from dataclasses import dataclass
from typing import Any

from seriesprogram import SeriesProgram

LOGIN = "so-gddt", "a password: for @lerts"
_CONFIG = """
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""
_WEB = """
basic_auth_users:
  so-gddt: $2b$04$leS50.LiWWNA1Md6hZ8KJOZWvulZwU1TbZ3W7ZSrxHNe.oSDYGad6
"""
"""The digest is bcrypt's of the password of `LOGIN`, of the least cost."""


@dataclass
class RunningAlertmanager(SeriesProgram):
    """One `prometheus-alertmanager` on 127.0.0.1 that stands alone and tells nobody."""

    def start(self) -> None:
        """Starts it and waits until it answers; what it knew is gone when its folder was not kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "alertmanager.yml").write_text(_CONFIG)
        words = [
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        if self.auth:
            (self.folder / "web.yml").write_text(_WEB)
            words.append(f"--web.config.file={self.folder}/web.yml")
        self.run(*words, until="/-/ready")

    def alerts(self) -> dict[str, Any]:
        """Those that fire, by number of the incident (or by name)."""
        answer = self.client.get("/api/v2/alerts")
        assert answer.status_code == 200, answer.text
        return {
            one["labels"].get("incident", one["labels"]["alertname"]): one
            for one in json.loads(answer.content)
        }
