"""A server that answers as Grafana's documents say its HTTP API does: no Grafana is to be had here.

Each answer names its document below https://grafana.com/docs/grafana/latest/developers/http_api/. Where
releases differ, `version` decides. Where a real Grafana is, tests/end_to_end/test_grafana_push.py asks it.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "glsa_" + "x" * 32
ALERTING = "/api/v1/provisioning"

Answer = tuple[int, Any]


def refused(code: int, message: str, **more: str) -> Answer:
    return code, {"message": message, **more}


@dataclass
class DocumentedGrafana:
    """What it holds, by uid; `fails_at` is which change from now on it breaks at, `changed` counts them."""

    version: str = "11.2.0"
    role: str = "Admin"
    url: str = ""
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    intervals: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, Any] = field(
        default_factory=lambda: {"receiver": "grafana-default-email", "routes": [{"receiver": "theirs"}]}
    )
    fails_at: int | None = None
    changed: int = 0
    before_write: Any = None

    def answer(self, method: str, target: str, body: Any, headers: Any) -> Answer:
        if headers.get("Authorization") != f"Bearer {TOKEN}" and target != "/api/health":
            return refused(401, "Invalid API key")  # authentication/
        if method != "GET":
            if self.role != "Admin":
                return refused(403, "You'll need additional permissions to perform this action.")
            if self.before_write is not None:
                act, self.before_write = self.before_write, None
                act()
            self.changed += 1
            if self.changed == self.fails_at:
                return refused(500, "database is locked")
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        for pattern, act in self.routes():
            found = re.fullmatch(pattern, f"{method} {parts.path}")
            if found:
                return act(*map(unquote, found.groups()), body=body, query=query, headers=headers)
        return refused(404, "Not found")

    def routes(self) -> Iterator[tuple[str, Any]]:
        yield "GET /api/health", lambda **_: (200, {"database": "ok", "version": self.version})  # other/
        yield "GET /api/org", lambda **_: (200, {"id": 1, "name": "Main Org."})  # org/
        yield "GET /api/search", self.search
        yield "GET /api/datasources/uid/([^/]+)", lambda uid, **_: self.found(self.sources, uid)
        yield "POST /api/datasources", self.add_source
        yield "PUT /api/datasources/uid/([^/]+)", self.put_source
        yield "GET /api/folders", lambda **_: (200, list(self.folders.values()))
        yield "GET /api/folders/([^/]+)", lambda uid, **_: self.found(self.folders, uid)
        yield "POST /api/folders", self.add_folder
        yield "PUT /api/folders/([^/]+)", self.put_folder
        yield "GET /api/dashboards/uid/([^/]+)", self.dashboard
        yield "POST /api/dashboards/db", self.put_dashboard
        yield "DELETE /api/dashboards/uid/([^/]+)", lambda uid, **_: self.gone(self.dashboards, uid, 200)
        yield f"GET {ALERTING}/alert-rules", lambda **_: (200, list(self.rules.values()))
        yield f"GET {ALERTING}/alert-rules/([^/]+)", lambda uid, **_: self.found(self.rules, uid)
        yield f"POST {ALERTING}/alert-rules", self.add_rule
        yield f"PUT {ALERTING}/alert-rules/([^/]+)", self.put_rule
        yield f"DELETE {ALERTING}/alert-rules/([^/]+)", self.remove_rule
        yield f"GET {ALERTING}/folder/([^/]+)/rule-groups/([^/]+)", self.group
        yield f"PUT {ALERTING}/folder/([^/]+)/rule-groups/([^/]+)", self.put_group
        yield f"GET {ALERTING}/contact-points", self.list_contacts
        yield f"POST {ALERTING}/contact-points", self.add_contact
        yield f"PUT {ALERTING}/contact-points/([^/]+)", self.put_contact
        yield f"DELETE {ALERTING}/contact-points/([^/]+)", self.remove_contact
        yield f"GET {ALERTING}/policies", lambda **_: (200, self.policies)
        yield f"PUT {ALERTING}/policies", self.put_policies

    def found(self, held: dict[str, Any], uid: str) -> Answer:
        return (200, held[uid]) if uid in held else refused(404, "not found")

    def gone(self, held: dict[str, Any], uid: str, status: int) -> Answer:
        if held.pop(uid, None) is None:
            return refused(404, "not found")
        return status, None if status == 204 else {"message": "deleted"}

    # data_source/: secureJsonData is never shown, a version that is not the newest is a conflict

    def add_source(self, *, body: Any, **_: Any) -> Answer:
        if any(one["name"] == body["name"] or uid == body["uid"] for uid, one in self.sources.items()):
            return refused(409, "data source with the same name already exists")
        return self.keep_source(body, 1)

    def put_source(self, uid: str, *, body: Any, **_: Any) -> Answer:
        held = self.sources[uid]
        if held.get("readOnly"):
            return refused(403, "Cannot update read-only data source")
        if body.get("version") != held["version"]:
            return refused(409, "Datasource has already been updated by someone else. Please reload")
        return self.keep_source(body, held["version"] + 1)

    def keep_source(self, body: Any, version: int) -> Answer:
        secret = body.pop("secureJsonData", {})
        self.secrets.setdefault(body["uid"], {}).update(secret)
        fields = dict.fromkeys(self.secrets[body["uid"]], True)
        more = {"id": 7, "orgId": 1, "version": version, "secureJsonFields": fields, "readOnly": False}
        self.sources[body["uid"]] = {**body, **more}
        return 200, {"message": "Datasource added", "datasource": self.sources[body["uid"]]}

    # folder/

    def add_folder(self, *, body: Any, **_: Any) -> Answer:
        if body["uid"] in self.folders:
            return refused(409, "a folder with the same name already exists")
        is_old = self.version.split(".")[0] in ("9", "10", "11")
        if is_old and body["title"] in {one["title"] for one in self.folders.values()}:
            return refused(409, "a folder with the same name already exists in the current location")
        self.folders[body["uid"]] = {**body, "id": 3, "version": 1}
        return 200, self.folders[body["uid"]]

    def put_folder(self, uid: str, *, body: Any, **_: Any) -> Answer:
        held = self.folders[uid]
        if body.get("version") != held["version"] and not body.get("overwrite"):
            said = "The folder has been changed by someone else"
            return refused(412, said, status="version-mismatch")
        self.folders[uid] = {**held, "title": body["title"], "version": held["version"] + 1}
        return 200, self.folders[uid]

    # dashboard/, folder_dashboard_search/

    def dashboard(self, uid: str, **_: Any) -> Answer:
        if uid not in self.dashboards:
            return refused(404, "Dashboard not found")
        held = self.dashboards[uid]
        meta = {"folderUid": held["folderUid"], "provisioned": held.get("provisioned", False)}
        meta |= {"createdBy": held.get("createdBy", "Anonymous"), "isFolder": held.get("isFolder", False)}
        return 200, {"dashboard": held["dashboard"], "meta": meta}

    def put_dashboard(self, *, body: Any, **_: Any) -> Answer:
        model = body["dashboard"]
        held = self.dashboards.get(model["uid"])
        if body["folderUid"] not in self.folders:
            return refused(400, "folder not found")
        if held is not None and held.get("provisioned"):
            return refused(400, "Cannot save provisioned dashboard")
        if (
            held is not None
            and model.get("version") != held["dashboard"]["version"]
            and not body["overwrite"]
        ):
            said = "The dashboard has been changed by someone else"
            return refused(412, said, status="version-mismatch")
        version = 1 if held is None else held["dashboard"]["version"] + 1
        kept = {**model, "id": 100 + len(self.dashboards), "version": version}
        self.dashboards[model["uid"]] = {"dashboard": kept, "folderUid": body["folderUid"]}
        return 200, {"uid": model["uid"], "status": "success", "version": version}

    def search(self, *, query: dict[str, str], **_: Any) -> Answer:
        tagged = (
            uid for uid, one in self.dashboards.items() if query["tag"] in one["dashboard"].get("tags", ())
        )
        return 200, [{"uid": uid, "type": "dash-db"} for uid in tagged]

    # alerting_provisioning/: without X-Disable-Provenance what is written is bound to the API, and what is
    # bound to a file is not changed by it; a provenance is not given up

    def provenance(self, held: Any, headers: Any, *, heeded: bool = True) -> str | Answer:
        wanted = "" if heeded and headers.get("X-Disable-Provenance") else "api"
        has = (held or {}).get("provenance", "")
        if has in ("file", "api") and has != wanted:
            return refused(400, f"cannot change provenance from '{has}' to '{wanted}'")
        return wanted

    @property
    def heeds(self) -> bool:
        """Release 9.4 knows the header for alert rules alone."""
        return not self.version.startswith("9.")

    def add_rule(self, *, body: Any, headers: Any, **_: Any) -> Answer:
        if body["uid"] in self.rules:
            return refused(409, "rule with the same UID already exists")
        return self.keep_rule(body, headers, 201)

    def put_rule(self, uid: str, *, body: Any, headers: Any, **_: Any) -> Answer:
        if uid not in self.rules:
            return refused(404, "could not find rule")
        return self.keep_rule({**body, "uid": uid}, headers, 200)

    def keep_rule(self, body: Any, headers: Any, status: int) -> Answer:
        provenance = self.provenance(self.rules.get(body["uid"]), headers)
        if isinstance(provenance, tuple):
            return provenance
        required = {"title", "folderUID", "ruleGroup", "condition", "data", "noDataState", "execErrState"}
        lacking = (required | {"orgID", "for"}) - set(body)
        refs = {one["refId"] for one in body["data"]}
        if lacking or body["condition"] not in refs or body["folderUID"] not in self.folders:
            return refused(400, f"invalid alert rule: {lacking}")
        data = [{"queryType": "", **one} for one in body["data"]]
        self.rules[body["uid"]] = {
            **body, "data": data, "provenance": provenance, "updated": "2026-01-01T00:00:00Z", "id": 1,
        }  # fmt: skip
        self.intervals.setdefault(f"{body['folderUID']}/{body['ruleGroup']}", 60)
        return status, self.rules[body["uid"]]

    def remove_rule(self, uid: str, *, headers: Any, **_: Any) -> Answer:
        needs = self.rules.get(uid, {}).get("provenance", "")
        given = "" if headers.get("X-Disable-Provenance") else "api"
        if needs and needs != given:
            return refused(409, f"cannot delete with provided provenance '{given}', needs '{needs}'")
        return self.gone(self.rules, uid, 204)

    def group(self, folder: str, group: str, **_: Any) -> Answer:
        rules = [
            one for one in self.rules.values() if (one["folderUID"], one["ruleGroup"]) == (folder, group)
        ]
        if not rules:
            return refused(404, "rule group not found")
        interval = self.intervals[f"{folder}/{group}"]
        return 200, {"title": group, "folderUid": folder, "interval": interval, "rules": rules}

    def put_group(self, folder: str, group: str, *, body: Any, headers: Any, **_: Any) -> Answer:
        """What is not among its rules is deleted."""
        held = {
            uid for uid, one in self.rules.items() if (one["folderUID"], one["ruleGroup"]) == (folder, group)
        }
        for uid in held - {one["uid"] for one in body["rules"]}:
            del self.rules[uid]
        for one in body["rules"]:
            status, answer = self.keep_rule(one, headers, 200)
            if status != 200:
                return status, answer
        self.intervals[f"{folder}/{group}"] = body["interval"]
        return 200, body

    def list_contacts(self, **_: Any) -> Answer:
        """Secrets are shown as [REDACTED]."""
        return 200, [
            {**one, "settings": {name: self.shown(name, text) for name, text in one["settings"].items()}}
            for one in self.contacts.values()
        ]

    def shown(self, name: str, text: Any) -> Any:
        return "[REDACTED]" if name == "authorization_credentials" else text

    def add_contact(self, *, body: Any, headers: Any, **_: Any) -> Answer:
        if body["uid"] in self.contacts:
            return refused(409, "contact point with this uid exists")
        return self.keep_contact(body, headers)

    def put_contact(self, uid: str, *, body: Any, headers: Any, **_: Any) -> Answer:
        if uid not in self.contacts:
            return refused(404, "contact point not found")
        return self.keep_contact({**body, "uid": uid}, headers)

    def keep_contact(self, body: Any, headers: Any) -> Answer:
        held = self.contacts.get(body["uid"])
        provenance = self.provenance(held, headers, heeded=self.heeds)
        if isinstance(provenance, tuple):
            return provenance
        settings = body["settings"]
        if settings.get("authorization_credentials") == "[REDACTED]" and held is not None:
            kept = held["settings"].get("authorization_credentials")
            settings = {**settings, "authorization_credentials": kept}
        self.contacts[body["uid"]] = {**body, "settings": settings, "provenance": provenance}
        return 202, {"message": "contactpoint updated"}

    def remove_contact(self, uid: str, **_: Any) -> Answer:
        receiver = self.contacts.get(uid, {}).get("name")
        if any(one["receiver"] == receiver for one in self.policies.get("routes", ())):
            return refused(409, "contact point is used by a notification policy")
        return self.gone(self.contacts, uid, 204)

    def put_policies(self, *, body: Any, headers: Any, **_: Any) -> Answer:
        provenance = self.provenance(self.policies, headers, heeded=self.heeds)
        if isinstance(provenance, tuple):
            return provenance
        names = {one["name"] for one in self.contacts.values()} | {"grafana-default-email", "theirs"}
        unknown = {one["receiver"] for one in body["routes"]} - names
        if unknown:
            return refused(400, f"invalid object specification: receiver {unknown} does not exist")
        self.policies = {**body, "provenance": provenance}
        return 202, {"message": "policies updated"}


@contextmanager
def answering(grafana: DocumentedGrafana) -> Iterator[DocumentedGrafana]:
    """The server on a free port of 127.0.0.1; its `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, said = grafana.answer(self.command, self.path, body, self.headers)
            content = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  the names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    grafana.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield grafana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
