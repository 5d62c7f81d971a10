"""Who gets what answer from every route: one row a route, one cell a principal. Every cell is requested.

A row is `Row(method, path, cells, …)`. Its cells stand in the order of `COLUMNS`; a cell has one letter for
each scope of that column, in this order:

- **whole** (so_admin, so_viewer, auditor, token): sees everything;
- **own**: sees the place that the request is about (so_admin, so_viewer, auditor: its province; commune: its
  commune; school_head, technician, token, device: the school itself);
- **other**: sees the place of that level that lies beside it, and so nothing of what the request is about.

Letters: `y` done, with the row's status; `>` sent on (303) where others are served; `-` not allowed (403);
`n` nothing there (404, as for what does not exist); `x` refused in words (422); `?` who are you (401).

A new route needs a row here, written by somebody who has thought about who may do it and where.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from declaring import put_claim
from schoolwatch_server import incident_forms, packs, people, texts
from schoolwatch_server.access import ROLES, Principal
from schoolwatch_server.claims.states import State
from schoolwatch_server.database import (
    api_tokens,
    calendars,
    channel_rows,
    credentials,
    duty_rows,
    exercise_rows,
    incident_rows,
    maintenances,
    registry,
    reports,
    serious,
)
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.enrolment import open_tokens
from schoolwatch_server.database.tables import incident_sent
from schoolwatch_server.duty.shift import Shift
from schoolwatch_server.enrolment import Asking, enrol, issue_enrolment_token
from schoolwatch_server.reports import keeping
from schoolwatch_server.reports.freeze import Judged
from schoolwatch_server.reports.keeping import Wanted
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.tokens import issue_token

COLUMNS: Mapping[str, int] = {
    "so_admin": 3, "so_viewer": 3, "commune": 2, "school_head": 2, "technician": 2, "auditor": 3,
    "token": 3, "device": 2, "nobody": 1,
}  # fmt: skip
"""Principal → in how many scopes it asks."""


@dataclass(frozen=True, slots=True)
class Row:
    """A route and its answers.

    In the path, `query`, `form` and `json` stand what `values` of test_matrix.py gives: `{code}`, `{device}`
    and so on of the place asked about, and `{n}`, another number in each request. A form's csrf is added.
    `prepare` may make something afresh for each cell: its values come on top. `body` gives httpx what else
    the request carries. `is_fresh` is for what opens or ends a session: each cell then asks with its own.
    `is_stream` is for what never ends: how it begins is looked at.
    """

    method: str
    path: str
    cells: str
    done: int = 200
    query: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, str] | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Any], Mapping[str, str]] | None = None
    body: Callable[[Any], Mapping[str, Any]] | None = None
    is_fresh: bool = False
    is_stream: bool = False


def a_token(asked: Any) -> Mapping[str, str]:
    """An open token of the first school."""
    issue_enrolment_token(asked.tree.engine, asked.school.id, None, 1, 1, now=asked.tree.now)
    with begin_read(asked.tree.engine) as conn:
        return {"token": str(open_tokens(conn, asked.school.id, asked.tree.now)[0].id)}


def one_that_waits(asked: Any) -> Mapping[str, str]:
    """A device that wants to be let in at the first school."""
    engine, now = asked.tree.engine, asked.tree.now
    token = issue_enrolment_token(engine, asked.school.id, None, 1, 1, now=now, admits="wait")
    return {"waiting": enrol(engine, token, Asking(f"matrix-{next(asked.numbers)}"), now=now).device}


def _technician(asked: Any) -> Mapping[str, str]:
    """A new account of a technician of the first school."""
    made = people.create_account(
        asked.tree.engine,
        f"matrix-technician-{next(asked.numbers)}",
        "a password for tests",
        role="technician",
        scope=Scope("school", asked.school.id),
        by="matrix",
    )
    return {"account": str(made)}


def _api_token(asked: Any) -> Mapping[str, str]:
    """A new API token that reads the first school."""
    scope = Scope("school", asked.school.id)
    issue_token(asked.tree.engine, "matrix", "read", scope, 1)
    with begin_read(asked.tree.engine) as conn:
        return {"number": str(api_tokens.good(conn, scope, asked.tree.now)[0].id)}


def _spare_device(asked: Any) -> Mapping[str, str]:
    """A new device of the first school, of which nothing else is asked."""
    with begin_write(asked.tree.engine) as conn:
        row = registry.create_device(conn, asked.school.id, None, "matrix", asked.tree.now)
        credentials.set_credential(conn, row.id, bytes(32), "$7$1$a$b", asked.tree.now)
    return {"spare": row.device}


def _claim(state: State) -> Callable[[Any], Mapping[str, str]]:
    """A new answer of the first school in that state, with a file."""

    def prepare(asked: Any) -> Mapping[str, str]:
        claim, file = put_claim(asked.tree.engine, asked.school.id, state, now=asked.tree.now)
        return {"claim": str(claim), "file": str(file), "number": str(file), "question": "studio"}

    return prepare


def _serious(asked: Any) -> Mapping[str, str]:
    """The newest incident of the first school, which is serious, and of which nothing was sent."""
    with begin_write(asked.tree.engine) as conn:
        number = incident_rows.incidents(conn, Scope("school", asked.school.id), limit=1)[0].id
        serious.set_mark(conn, number, is_serious=True, reason="matrix", by="matrix", now=asked.tree.now)
        conn.execute(incident_sent.delete().where(incident_sent.c.incident_id == number))
    return {"number": str(number)}


def _incident_form(asked: Any) -> Mapping[str, str]:
    """The same with a form."""
    values = _serious(asked)
    admin = Principal("account", "matrix", ROLES["so_admin"], EVERYTHING, "so_admin")
    wanted = incident_forms.Wanted("notice", "", admin, asked.tree.now)
    row = incident_forms.make(asked.tree.engine, int(values["number"]), wanted, None, texts.load())
    return {**values, "sha256": row.sha256, "format": "docx"}


def _frozen(asked: Any) -> Mapping[str, str]:
    """The newest revision of a report of the first school, and the same one until it is handed in."""
    return {"digest": _in_state(asked, "frozen")}


def _handed_in(asked: Any) -> Mapping[str, str]:
    """One that waits for the commune."""
    return {"digest": _in_state(asked, "handed_in")}


def _set_days(asked: Any) -> Mapping[str, str]:
    """A day off of the school that nobody has taken back yet."""
    values = {"first": "2026-12-01", "last": "2026-12-01", "is_held": False, "reason": "matrix"}
    place = {"level": "school", "place_id": asked.school.id}
    with begin_write(asked.tree.engine) as conn:
        return {"number": str(calendars.put_days(conn, values | place, asked.tree.now, "matrix"))}


def _planned(asked: Any) -> Mapping[str, str]:
    """Planned work of the school that goes on."""
    values = {"starts": 0.0, "ends": 4e9, "rule": "", "reason": "matrix"}
    place = {"level": "school", "place_id": asked.school.id}
    with begin_write(asked.tree.engine) as conn:
        return {"number": str(maintenances.put(conn, values | place, asked.tree.now, "matrix"))}


def _in_state(asked: Any, state: str) -> str:
    with begin_read(asked.tree.engine) as conn:
        rows = reports.listed(conn, Scope("school", asked.school.id), kind="quarterly", limit=1)
    if rows and rows[0].state == state:
        return rows[0].sha256
    wanted = Wanted("school", asked.school.code, "quarterly", note=f"matrix {next(asked.numbers)}")
    engine, now = asked.tree.engine, asked.tree.now
    row = keeping.freeze(engine, wanted, Judged(packs.load()), EVERYTHING, by="matrix", now=now)
    if state == "handed_in":
        own = Scope("school", asked.school.id)
        head = Principal("account", "matrix", ROLES["school_head"], own, "school_head")
        keeping.act(engine, row.sha256, head, "hand_in", "", now=now)
    return row.sha256


def _channel(asked: Any) -> Mapping[str, str]:
    """A new channel, whose address answers nobody."""
    with begin_write(asked.tree.engine) as conn:
        name = f"matrix-channel-{next(asked.numbers)}"
        made = channel_rows.add(conn, name, "webhook", "json://127.0.0.1:9/x", "vi", None, asked.tree.now)
    return {"number": str(made)}


def _shift(asked: Any) -> Mapping[str, str]:
    """A new entry of the duty list."""
    entry = Shift(0, "matrix", EVERYTHING, "low", frozenset({0}), 0, 0, ("a",))
    with begin_write(asked.tree.engine) as conn:
        return {"number": str(duty_rows.put(conn, entry, asked.tree.now))}


def _exercise(asked: Any) -> Mapping[str, str]:
    """An exercise that goes on, without incidents."""
    now = asked.tree.now
    row = exercise_rows.Exercise(0, "antivirus_off", EVERYTHING, "x", "matrix", now, now + 600, None, ())
    with begin_write(asked.tree.engine) as conn:
        return {"number": str(exercise_rows.add(conn, row))}


MATRIX: tuple[Row, ...] = (
    # --- the API: places, devices, what is judged of them -------------------------------------------------
    #                                  so_admin so_viewer commune head technician auditor token device nobody
    Row("GET", "/api/v1/schools",         "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/api/v1/indicators",      "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/indicators/history", "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/indicators/history.ndjson", "yyn yyn yn yn yn yyn yyn -- ?",
        query="school={code}"),
    Row("GET", "/influx/query",           "yyy yyy yy yy yy yyy yyy -- ?", query="q=SHOW%20DATABASES"),
    Row("POST", "/api/v1/grafana/alerts", "yyy --- yy -- -- --- --- -- ?",
        body=lambda _: {"json": {"alerts": []}}),  # else a token for alerts alone
    Row("POST", "/influx/query",          "yyy yyy yy yy yy yyy yyy -- ?", query="q=SHOW%20DATABASES"),
    Row("GET", "/api/v1/rules",           "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/api/v1/catalog",         "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/api/v1/provinces/{code}/ranking", "yyn yyn nn nn nn yyn ynn -- ?",
        query="indicator=studio"),
    Row("GET", "/api/v1/provinces/{code}/ranking.csv", "yyn yyn nn nn nn yyn ynn -- ?",
        query="indicator=studio"),
    Row("GET", "/api/v1/sites",           "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/sites/looks",     "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/schools/{code}/indicators.{format}", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/api/v1/tables/{table}.csv", "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/room-use",        "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/activation",      "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/lines",           "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/devices",         "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/facts",           "yyn yyn yn yn yn yyn yyn -- ?", query="device={device}"),
    Row("GET", "/api/v1/series",          "yyn yyn yn yn yn yyn yyn -- ?",
        query="device={device}&metric=link.speed"),
    Row("GET", "/api/v1/incidents",       "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/response-times",  "yyn yyn yn nn nn yyn ynn -- ?", query="commune=MarkC00X"),
    Row("GET", "/api/v1/known-network",   "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/calendar/days",   "yyn yyn yn yn yn yyn yyn -- ?", query="level=school&code={code}"),
    Row("GET", "/api/v1/calendar/work",   "yyn yyn yn yn yn yyn yyn -- ?", query="level=school&code={code}"),
    Row("GET", "/api/v1/calendar/work/{number}", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_planned),
    Row("GET", "/api/v1/calendar/hours",  "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/work-list",       "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/work-list.csv",   "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/work-lists",      "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/api/v1/work-lists.csv",  "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/api/v1/response-times.csv", "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/api/v1/incidents/{number}", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/api/v1/reports",         "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/reports/{digest}", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_frozen),
    Row("GET", "/api/v1/reports.ndjson",  "yyn yyn yn yn yn yyn yyn -- ?", query="school={code}"),
    Row("GET", "/api/v1/reports/{digest}/content", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_frozen),
    Row("GET", "/api/v1/reports/{digest}/values.ndjson", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_frozen),
    # --- the API: devices ---------------------------------------------------------------------------------
    Row("POST", "/api/v1/enrol",          "yyy yyy yy yy yy yyy yyy yy y", 201,
        json={"token": "{enrolment}", "install_id": "matrix-{n}"}),
    Row("POST", "/api/v1/enrol/hint-key", "yyy yyy yy yy yy yyy yyy yy y", json={"token": "{enrolment}"}),
    Row("POST", "/api/v1/speedtest/slot", "--- --- -- -- -- --- --- yy ?", 201),
    Row("POST", "/api/v1/device/standing", "--- --- -- -- -- --- --- yy ?"),
    Row("POST", "/api/v1/device/credential", "--- --- -- -- -- --- --- yy ?", 409),  # nobody ordered it
    Row("POST", "/api/v1/device/credential/taken", "--- --- -- -- -- --- --- yy ?"),
    # --- the server itself --------------------------------------------------------------------------------
    Row("GET", "/api/v1/openapi.json",    "yyy yyy yy yy yy yyy yyy yy y"),
    Row("GET", "/docs",                   "yyy yyy yy yy yy yyy yyy yy y"),
    Row("GET", "/healthz",                "yyy yyy yy yy yy yyy yyy yy y"),
    Row("GET", "/ca.pem",                 "nnn nnn nn nn nn nnn nnn nn n"),  # no authority of its own here
    Row("GET", "/influx/ping",            "yyy yyy yy yy yy yyy yyy yy y", done=204),
    Row("GET", "/readyz",                 "yyy yyy yy yy yy yyy yyy yy y"),
    Row("GET", "/metrics",                "y-- y-- -- -- -- y-- y-- -- ?"),
    Row("GET", "/metrics/indicators",     "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/system",                 "y-- y-- -- -- -- y-- y-- -- ?"),
    Row("GET", "/notifications",          "y-- y-- -- -- -- y-- y-- -- ?"),
    Row("GET", "/duty",                   "y-- y-- -- -- -- y-- y-- -- ?"),
    Row("GET", "/exercises",              "y-- y-- -- -- -- y-- y-- -- ?"),
    Row("POST", "/notifications/channels", "y-- --- -- -- -- --- --- -- ?", 303,
        form={"name": "matrix {n}", "address": "json://127.0.0.1:9/x"}),
    Row("POST", "/notifications/channels/{number}/address", "y-- --- -- -- -- --- --- -- ?", 303,
        form={"address": "json://127.0.0.1:9/y"}, prepare=_channel),
    Row("POST", "/notifications/channels/{number}/switch", "y-- --- -- -- -- --- --- -- ?", 303,
        form={"on": "no"}, prepare=_channel),
    Row("POST", "/notifications/channels/{number}/test", "y-- --- -- -- -- --- --- -- ?", 303,
        prepare=_channel),
    Row("POST", "/notifications/channels/{number}/carry", "n-- --- -- -- -- --- --- -- ?", prepare=_channel),
    Row("POST", "/notifications/channels/{number}/remove", "y-- --- -- -- -- --- --- -- ?", 303,
        prepare=_channel),
    Row("POST", "/notifications/filed/test", "n-- --- -- -- -- --- --- -- ?", form={"name": "none"}),
    Row("POST", "/notifications/ping",    "y-- --- -- -- -- --- --- -- ?", 303,
        form={"url": "", "every": "60"}),
    Row("POST", "/duty",                  "y-- --- -- -- -- --- --- -- ?", 303,
        form={"name": "matrix {n}", "days": "0", "to": "channel:{number}"}, prepare=_channel),
    Row("POST", "/duty/{number}/remove",  "y-- --- -- -- -- --- --- -- ?", 303, prepare=_shift),
    Row("POST", "/duty/escalation",       "y-- --- -- -- -- --- --- -- ?", 303, form={"critical": "15"}),
    Row("POST", "/exercises",             "x-- --- -- -- -- --- --- -- ?", form={"rule": "none"}),
    Row("POST", "/exercises/{number}/end", "y-- --- -- -- -- --- --- -- ?", 303, prepare=_exercise),
    Row("GET", "/audit",                  "y-- --- -- -- -- y-- --- -- ?"),
    Row("GET", "/audit.csv",              "y-- --- -- -- -- y-- --- -- ?", query="from=2026-01-01"),
    # --- in and out ---------------------------------------------------------------------------------------
    #                                  so_admin so_viewer commune head technician auditor token device nobody
    Row("GET", "/login",                  "yyy yyy yy yy yy yyy yyy yy y"),
    Row("POST", "/login",                 "yyy yyy yy yy yy yyy yyy yy y", 303, is_fresh=True,
        cookies={"schoolwatch_form": "known"},
        form={"csrf": "known", "name": "matrix-login", "password": "a password for tests"}),
    Row("POST", "/login/code",            "--- --- -- -- -- --- --- -- -", 303, is_fresh=True,
        cookies={"schoolwatch_form": "known"}, form={"csrf": "known", "code": "123456"}),
    Row("GET", "/login/code",             "yyy yyy yy yy yy yyy yyy yy y"),
    Row("GET", "/login/oidc",             "nnn nnn nn nn nn nnn nnn nn n"),  # no provider here: test_oidc.py
    Row("GET", "/login/oidc/callback",    "nnn nnn nn nn nn nnn nnn nn n"),
    Row("POST", "/logout",                "yyy yyy yy yy yy yyy --- -- ?", 303, is_fresh=True),
    Row("GET", "/language/{language}",    "yyy yyy yy yy yy yyy yyy yy y", 303),
    Row("GET", "/privacy",                "yyy yyy yy yy yy yyy yyy yy y"),
    # --- one's own account: what is one's own is asked of the session, never of an address -----------------
    #                                  so_admin so_viewer commune head technician auditor token device nobody
    Row("GET", "/me",                       "yyy yyy yy yy yy yyy --- -- ?"),
    Row("POST", "/me/password",             "yyy yyy yy yy yy yyy --- -- ?", 303, is_fresh=True,
        form={"old": "a password for tests", "new": "matrix {n} of mine", "again": "matrix {n} of mine"}),
    Row("POST", "/me/second-factor",        "yyy yyy yy yy yy yyy --- -- ?", is_fresh=True,
        form={"password": "a password for tests"}),
    Row("POST", "/me/second-factor/confirm", "yyy yyy yy yy yy yyy --- -- ?", 303, form={"code": "123456"}),
    Row("POST", "/me/second-factor/codes",  "xxx xxx xx xx xx xxx --- -- ?",
        form={"password": "a password for tests"}),
    Row("POST", "/me/second-factor/off",    "xxx yyy yy yy yy xxx --- -- ?", 303,
        form={"password": "a password for tests"}),
    Row("POST", "/me/language",             "yyy yyy yy yy yy yyy --- -- ?", 303, form={"language": "vi"}),
    Row("POST", "/me/sessions/{number}/end", "yyy yyy yy yy yy yyy --- -- ?", 303),
    Row("GET", "/me/channels",              "yyy yyy yy yy yy yyy --- -- ?"),
    Row("POST", "/me/channels",             "xxx xxx xx xx xx xxx --- -- ?",
        form={"name": "matrix", "kind": "email", "address": "nobody"}),
    # one that the department set up for nobody: whose it isn't finds nothing
    Row("POST", "/me/channels/{number}/code", "nnn nnn nn nn nn nnn --- -- ?", prepare=_channel),
    Row("POST", "/me/channels/{number}/confirm", "nnn nnn nn nn nn nnn --- -- ?", form={"code": "123456"},
        prepare=_channel),
    Row("POST", "/me/channels/{number}/change", "nnn nnn nn nn nn nnn --- -- ?", prepare=_channel),
    Row("POST", "/me/channels/{number}/test", "nnn nnn nn nn nn nnn --- -- ?", prepare=_channel),
    Row("POST", "/me/channels/{number}/remove", "nnn nnn nn nn nn nnn --- -- ?", prepare=_channel),
    # --- accounts of others: a technician's of the school asked about --------------------------------------
    #                                  so_admin so_viewer commune head technician auditor token device nobody
    Row("GET", "/people",                   "yyy --- yy yy -- --- --- -- ?"),
    Row("POST", "/people",                  "yyx --- yx yx -- --- --- -- ?",
        form={"name": "matrix-{n}", "role": "technician", "place": "{code}"}),
    Row("GET", "/people/{account}",         "yyn --- yn yn -- --- --- -- ?", prepare=_technician),
    Row("POST", "/people/{account}/password", "yyn --- yn yn -- --- --- -- ?", prepare=_technician),
    Row("POST", "/people/{account}/second-factor", "yyn --- yn yn -- --- --- -- ?", 303, prepare=_technician),
    Row("POST", "/people/{account}/sessions", "yyn --- yn yn -- --- --- -- ?", 303, prepare=_technician),
    Row("POST", "/people/{account}/off",    "yyn --- yn yn -- --- --- -- ?", 303, prepare=_technician),
    Row("POST", "/people/{account}/on",     "yyn --- yn yn -- --- --- -- ?", 303, prepare=_technician),
    Row("POST", "/people/{account}/role",   "yyn --- yn yn -- --- --- -- ?", 303, prepare=_technician,
        form={"role": "technician", "place": "{code}"}),
    Row("POST", "/people/{account}/oidc",   "nnn --- nn nn -- --- --- -- ?",  # no provider here: test_oidc.py
        form={"subject": "matrix-{n}"}, prepare=_technician),
    Row("POST", "/people/{account}/oidc/unlink", "yyn --- yn yn -- --- --- -- ?", 303, prepare=_technician),
    Row("GET", "/tokens",                   "yyy --- yy -- -- --- --- -- ?"),
    Row("POST", "/tokens",                  "yyx --- yx -- -- --- --- -- ?",
        form={"name": "matrix {n}", "place": "{code}", "days": "1"}),
    Row("POST", "/tokens/{number}/revoke",   "yyn --- yn -- -- --- --- -- ?", 303, prepare=_api_token),
    # --- pages --------------------------------------------------------------------------------------------
    Row("GET", "/",                       "yyy yyy yy >> >> yyy y>> -- ?"),
    Row("GET", "/search",                 "yyy yyy yy yy yy yyy yyy -- ?", query="q=matrix {n}"),
    Row("GET", "/provinces/{code}",       "yyn yyn yy yy yy yyn yyy -- ?"),
    Row("GET", "/communes/{code}",        "yyn yyn yn yy yy yyn yyy -- ?"),
    Row("GET", "/schools/{code}",         "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/progress",               ">>> >>> >> >> >> >>> >>> -- ?"),
    Row("GET", "/provinces/{code}/progress", "yyn yyn nn nn nn yyn ynn -- ?"),
    Row("GET", "/provinces/{code}/ranking", "yyn yyn nn nn nn yyn ynn -- ?"),
    Row("GET", "/provinces/{code}/boundaries", "yyn --- -- -- -- --- --- -- ?"),
    Row("GET", "/communes/{code}/progress", "yyn yyn yn nn nn yyn ynn -- ?"),
    Row("GET", "/provinces/{code}/needs",  "yyn yyn nn nn nn yyn ynn -- ?"),
    Row("GET", "/communes/{code}/needs",   "yyn yyn yn nn nn yyn ynn -- ?"),
    Row("GET", "/provinces/{code}/work-list", "yyn yyn nn nn nn yyn ynn -- ?"),
    Row("GET", "/communes/{code}/work-list", "yyn yyn yn nn nn yyn ynn -- ?"),
    Row("GET", "/schools/{code}/network", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/schools/{code}/work-list", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/schools/{code}/needs",    "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/schools/{code}/progress", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/schools/{code}/lists",   "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/sites",                  "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/schools/{code}/indicators.{form}", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/devices/{device}",       "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/devices/{device}/now",   "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/incidents",              "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/response-times",         "yyn yyn yn nn nn yyn ynn -- ?", query="commune=MarkC00X"),
    Row("GET", "/incidents.csv",          "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/incidents/stream",       "yyy yyy yy yy yy yyy yyy -- ?", is_stream=True),
    Row("GET", "/wall",                   "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/wall/stream",            "yyy yyy yy yy yy yyy yyy -- ?", is_stream=True),
    Row("GET", "/incidents/{number}",     "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("GET", "/malware",                "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/malware.csv",            "yyy yyy yy yy yy yyy yyy -- ?"),
    # off until the settings name the organisation
    Row("GET", "/malware.xml",            "nnn --- nn nn -- --- --- -- ?"),
    Row("GET", "/serious",                "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/incidents/{number}/serious", "yyn yyn yn yn yn yyn yyn -- ?"),
    Row("POST", "/incidents/{number}/mark", "yyn --- yn yn yn --- --- -- ?", 303,
        form={"serious": "true", "reason": "matrix {n}"}),
    Row("POST", "/incidents/{number}/sent", "yyn --- yn yn -- --- --- -- ?", 303,
        form={"step": "notice", "reference": "{n}/SGDĐT"}, prepare=_serious),
    Row("POST", "/incidents/{number}/forms", "yyn --- yn yn -- --- --- -- ?", 303,
        form={"step": "notice"}, prepare=_serious),
    Row("GET", "/incidents/{number}/forms/{sha256}/{format}", "yyn yyn yn yn yn yyn --- -- ?",
        prepare=_incident_form),
    Row("GET", "/recipients",             "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("POST", "/recipients",            "yyn --- -- -- -- --- --- -- ?", 303,
        form={"province": "MarkP0X", "level": "province", "name": "matrix {n}"}),
    Row("GET", "/bundles",                "yyy --- yy yy yy --- --- -- ?"),
    Row("GET", "/imports",                "yyy --- yy yy yy --- --- -- ?"),
    Row("GET", "/imports/template.xlsx",       "yyy --- yy yy yy --- --- -- ?"),
    Row("GET", "/packs",                  "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/packs/{pack}",           "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/packs/{pack}/versions/{version}", "nnn nnn nn nn nn nnn nnn -- ?"),  # nobody typed one in
    Row("GET", "/packs/kept/{sha256}",    "nnn nnn nn nn nn nnn nnn -- ?"),  # no report named one
    Row("GET", "/rules",                  "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/rules/{rule}",           "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/rules/{rule}/versions/{version}", "nnn nnn nn nn nn nnn nnn -- ?"),  # nobody typed one in
    Row("GET", "/rules/{rule}/edit",      "y-- --- -- -- -- --- --- -- ?"),
    Row("GET", "/packs/plans/new",        "y-- --- -- -- -- --- --- -- ?"),
    Row("GET", "/packs/{pack}/edit",      "y-- --- -- -- -- --- --- -- ?"),


    Row("GET", "/reports",                "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/reports/due",            "yyn yyn yy yy yy yyn yyy -- ?",
        query="kind=monthly&level=school&period=2026-11&province=MarkP0X"),
    Row("GET", "/reports/calendar",       "yyy yyy yy yy yy yyy yyy -- ?"),
    Row("GET", "/calendar",               "yyn yyn yn yn yn yyn yyn -- ?", query="level=school&code={code}"),
    Row("GET", "/reports/{digest}",       "yyn yyn yn yn yn yyn yyn -- ?", prepare=_frozen),
    Row("GET", "/reports/{digest}/file.{form}", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_frozen),
    Row("GET", "/verify/{digest}",        "yyy yyy yy yy yy yyy yyy yy y", prepare=_frozen),
    Row("GET", "/ghosts",                 "yyy --- yy yy yy --- --- -- ?"),
    Row("GET", "/arrivals",               "yyy --- yy yy yy --- --- -- ?"),
    # --- what people change -------------------------------------------------------------------------------
    #                                  so_admin so_viewer commune head technician auditor token device nobody
    Row("POST", "/schools/{code}/declare",          "yyn --- yn yn yn --- --- -- ?", 303,
        form={"students": "{n}"}),
    Row("POST", "/schools/{code}/rooms",            "yyn --- yn yn yn --- --- -- ?", 303,
        form={"name": "matrix {n}", "role": "student_lab"}),
    Row("POST", "/schools/{code}/rooms/{room}",     "yyn --- yn yn yn --- --- -- ?", 303,
        form={"role": "student_lab"}),
    Row("POST", "/schools/{code}/checks",           "yyn --- yn yn yn --- --- -- ?", 303,
        form={"room": "{room}", "working": "1"}),
    Row("POST", "/schools/{code}/contacts",         "yyn --- yn yn yn --- --- -- ?", 303,
        form={"kind": "deputy", "name": "Vũ Văn Nam"}),
    Row("POST", "/schools/{code}/contacts/look",    "yyn --- yn yn yn --- --- -- ?"),
    Row("POST", "/schools/{code}/contacts/remove",  "yyn --- yn yn yn --- --- -- ?", 303,
        form={"kind": "deputy"}),
    Row("POST", "/schools/{code}/site",             "yyn --- yn yn yn --- --- -- ?", 303,
        form={"address": "https://t{n}.edu.vn"}),
    Row("POST", "/schools/{code}/site/look",        "yyn --- yn yn yn --- --- -- ?", 303),
    Row("POST", "/schools/{code}/merge",            "xxn --- -- -- -- --- --- -- ?",
        form={"into": "{code}", "confirm": "wrong"}),
    Row("POST", "/schools/{code}/split",            "xxn --- -- -- -- --- --- -- ?",
        form={"new": "{code}", "name": "X"}),
    Row("POST", "/schools/{code}/status",           "yyn --- -- -- -- --- --- -- ?", 303),
    Row("POST", "/schools/{code}/line",             "yyn --- yn yn yn --- --- -- ?", 303,
        form={"device": "{device}"}),
    Row("POST", "/devices/{device}/manage",         "yyn --- yn yn yn --- --- -- ?", 303,
        form={"label": "matrix {n}"}),
    Row("POST", "/schools/{code}/enrolment",        "yyn --- yn yn yn --- --- -- ?",
        form={"days": "1", "uses": "1"}),
    Row("POST", "/schools/{code}/enrolment/revoke", "yyn --- yn yn yn --- --- -- ?", 303),
    Row("POST", "/schools/{code}/enrolment/{token}/revoke", "yyn --- yn yn yn --- --- -- ?", 303,
        prepare=a_token),
    Row("POST", "/arrivals/decide",       "yyn --- yn yn yn --- --- -- ?", 303,
        form={"decision": "approve", "device": "{waiting}"}, prepare=one_that_waits),
    # who watches or inspects sees to no incident, nor does a token that only reads
    Row("POST", "/incidents/{number}/act", "yyn --- yn yn yn --- --- -- ?", 303,
        form={"act": "note", "note": "matrix {n}"}),
    # nothing of that name is known there, which who may take it back is told
    Row("POST", "/schools/{code}/network/forget", "yyn --- yn yn yn --- --- -- ?", 409,
        form={"rule": "dhcp_server_new", "part": "matrix {n}"}),
    Row("POST", "/api/v1/known-network/forget", "yyn --- yn yn yn --- --- -- ?", 409,
        json={"school": "{code}", "rule": "dhcp_server_new", "machine": "matrix {n}"}),
    Row("POST", "/incident-acts",         "yyy --- yy yy yy --- --- -- ?", 303,
        form={"act": "note", "note": "matrix {n}", "incident": "{number}"}),
    Row("POST", "/api/v1/incidents/{number}/acknowledge", "yyn --- yn yn yn --- --- -- ?", json={}),
    Row("POST", "/api/v1/incidents/{number}/assign", "yyn --- yn yn yn --- --- -- ?", json={"assignee": ""}),
    Row("POST", "/api/v1/incidents/{number}/note", "yyn --- yn yn yn --- --- -- ?",
        json={"note": "matrix {n}"}),
    Row("POST", "/api/v1/incidents/{number}/close", "yyn --- yn yn yn --- --- -- ?",
        json={"verdict": "resolved"}),
    Row("POST", "/api/v1/incidents/{number}/reopen", "yyn --- yn yn yn --- --- -- ?", json={}),
    Row("POST", "/api/v1/incident-acts",  "yyy --- yy yy yy --- --- -- ?",
        body=lambda asked: {"json": {"act": "acknowledge", "incidents": [1]}}),
    Row("POST", "/devices/{device}/life", "yyn --- yn yn yn --- --- -- ?", 303, form={"decision": "keep"}),
    # only the head hands a school's report in, and only its commune decides on it: others are told so
    Row("GET", "/reports/{digest}/form", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_frozen),
    Row("POST", "/forms/look", "xxn xxn xn xn xn xxn --- -- ?", form={"report": "{digest}"}, prepare=_frozen,
        body=lambda asked: {"files": {"file": ("form.xlsx", b"PK")}}),
    Row("POST", "/forms/fill", "xxn xxn xn xn xn xxn --- -- ?", prepare=_frozen,
        form={"report": "{digest}", "kept": "0" * 64}),
    Row("POST", "/forms/copy", "yyn yyn yn yn yn yyn --- -- ?", prepare=_frozen,
        form={"report": "{digest}", "questions": "Trường | school.name"}),
    Row("POST", "/boundaries/look", "xxn --- -- -- -- --- --- -- ?", form={"province": "MarkP0X"},
        body=lambda asked: {"files": {"file": ("xa.geojson", b"PK")}}),
    Row("POST", "/boundaries/save", "xxn --- -- -- -- --- --- -- ?",
        form={"province": "MarkP0X", "kept": "0" * 64}),
    Row("POST", "/boundaries/remove", "yyn --- -- -- -- --- --- -- ?", 303, form={"province": "MarkP0X"}),
    Row("POST", "/reports",        "yyx --- yx yx yx --- --- -- ?", 303,
        form={"level": "school", "code": "{code}", "kind": "monthly", "note": "once more {n}"}),
    Row("POST", "/reports/{digest}/hand-in", "xxn --- xn yn -- --- --- -- ?", 303, prepare=_frozen),
    Row("POST", "/reports/{digest}/accept", "xxn --- yn -- -- --- --- -- ?", 303, prepare=_handed_in),
    Row("POST", "/reports/{digest}/return", "xxn --- yn -- -- --- --- -- ?", 303, prepare=_handed_in,
        form={"remark": "matrix {n}"}),
    Row("POST", "/calendar/days",         "yyn --- yn yn -- --- --- -- ?", 303,
        form={"level": "school", "code": "{code}", "first": "2026-12-01", "reason": "matrix {n}"}),
    Row("POST", "/calendar/days/{number}/end", "yyn --- yn yn -- --- --- -- ?", 303, prepare=_set_days),
    Row("POST", "/calendar/work",         "yyn --- yn yn -- --- --- -- ?", 303,
        form={"level": "school", "code": "{code}", "starts": "2099-12-01T08:00", "ends": "2099-12-01T10:00",
              "reason": "matrix {n}"}),
    Row("POST", "/calendar/work/{number}/end", "yyn --- yn yn -- --- --- -- ?", 303, prepare=_planned),
    Row("GET", "/calendar/work/{number}", "yyn yyn yn yn yn yyn yyn -- ?", prepare=_planned),
    Row("POST", "/calendar/work/{number}/incidents", "yyn --- yn yn yn --- --- -- ?", 303,
        prepare=_planned),
    Row("POST", "/calendar/hours",        "yyn --- yn yn -- --- --- -- ?", 303,
        form={"code": "{code}", "morning": "07:00-11:30", "days": "23456"}),
    # the same by a program: a token that only reads enters nothing
    Row("POST", "/api/v1/calendar/days",  "yyn --- yn yn -- --- --- -- ?", 201,
        json={"level": "school", "code": "{code}", "first": "2026-12-01", "reason": "matrix {n}"}),
    Row("POST", "/api/v1/calendar/days/{number}/end", "yyn --- yn yn -- --- --- -- ?", prepare=_set_days),
    Row("POST", "/api/v1/calendar/work",  "yyn --- yn yn -- --- --- -- ?", 201,
        json={"level": "school", "code": "{code}", "starts": "2099-12-01T08:00:00+07:00",
              "ends": "2099-12-01T10:00:00+07:00", "reason": "matrix {n}"}),
    Row("POST", "/api/v1/calendar/work/{number}/end", "yyn --- yn yn -- --- --- -- ?", prepare=_planned),
    Row("POST", "/api/v1/calendar/hours", "yyn --- yn yn -- --- --- -- ?",
        json={"school": "{code}", "morning": "07:00-11:30", "days": "23456"}),
    Row("POST", "/api/v1/calendar/hours/reset", "yyn --- yn yn -- --- --- -- ?", json={"school": "{code}"}),
    Row("POST", "/reports/calendar",      "yyn --- -- -- -- --- --- -- ?", 303,
        form={"province": "MarkP0X", "kind": "year", "before": "6/12", "document": "matrix {n}"}),
    # the code is typed wrong: refused in words where it may be done
    Row("GET", "/devices/{device}/deletion", "yyn --- -- -- -- --- --- -- ?"),
    Row("POST", "/devices/{device}/deletion", "xxn --- -- -- -- --- --- -- ?",
        form={"confirm": "matrix", "reason": "matrix {n}"}),
    Row("GET", "/schools/{code}/deletion", "yyn --- -- -- -- --- --- -- ?"),
    Row("POST", "/schools/{code}/deletion", "xxn --- -- -- -- --- --- -- ?",
        form={"confirm": "matrix", "reason": "matrix {n}"}),
    # --- what schools declare: each step is one role's; the first school is a commune's -------------------
    #                                  so_admin so_viewer commune head technician auditor token device nobody
    Row("GET", "/claims",                 "yyy yyy yy yy >> yyy --- -- ?"),
    Row("GET", "/schools/{code}/claims",  "yyn yyn yn yn yn yyn --- -- ?"),
    Row("GET", "/schools/{code}/claims/{question}", "yyn yyn yn yn yn yyn --- -- ?",
        prepare=_claim("returned")),
    Row("GET", "/claims/files/{number}",  "yyn yyn yn yn yn yyn --- -- ?", prepare=_claim("submitted")),
    Row("POST", "/claims/save",           "--- --- -- yn yn --- --- -- ?", 303,
        form={"code": "{code}", "question": "network_zones", "value": "no", "as_of": "2026-01-05"}),
    Row("POST", "/claims/submit",         "--- --- -- yn yn --- --- -- ?", 303,
        form={"claim": "{claim}"}, prepare=_claim("draft")),
    Row("POST", "/claims/withdraw",       "--- --- -- yn yn --- --- -- ?", 303,
        form={"claim": "{claim}"}, prepare=_claim("submitted")),
    Row("POST", "/claims/remove-file",    "--- --- -- yn yn --- --- -- ?", 303,
        form={"file": "{file}"}, prepare=_claim("draft")),
    Row("POST", "/claims/approve",        "--- --- -- yn -- --- --- -- ?", 303,
        form={"claim": "{claim}"}, prepare=_claim("submitted")),
    Row("POST", "/claims/accept",         "--n --- yn -- -- --- --- -- ?", 303,
        form={"claim": "{claim}"}, prepare=_claim("approved")),
    Row("POST", "/claims/recognise",      "yyn --- -- -- -- --- --- -- ?", 303,
        form={"claim": "{claim}"}, prepare=_claim("accepted")),
    Row("GET", "/renewals",               "yyy --- -- -- -- --- --- -- ?"),
    Row("POST", "/renewals",              "yyn --- -- -- -- --- --- -- ?", 303,
        form={"device": "{spare}"}, prepare=_spare_device),
    Row("POST", "/schools/{code}/devices", "yyn --- yn yn yn --- --- -- ?", 303,
        form={"device": "{device}", "room": "{room}"}),
    Row("POST", "/imports/look",                    "yyy --- yy yy yy --- --- -- ?",
        form={"roster": "campus"},
        body=lambda asked: {"files": {"file": ("list.csv", b"Ma truong,Diem truong\n")}}),
    Row("POST", "/imports/take-in",                 "xxx --- xx xx xx --- --- -- ?",
        form={"digest": "0" * 64, "roster": "campus"}),
    Row("POST", "/packs/typed/look",                "x-- --- -- -- -- --- --- -- ?", form={"text": "x"}),
    Row("POST", "/packs/typed/save",                "x-- --- -- -- -- --- --- -- ?", form={"text": "x"}),
    Row("POST", "/packs/{pack}/end",                "x-- --- -- -- -- --- --- -- ?"),
    Row("POST", "/rules/typed/look",                "x-- --- -- -- -- --- --- -- ?", form={"text": "x"}),
    Row("POST", "/rules/typed/save",                "x-- --- -- -- -- --- --- -- ?", form={"text": "x"}),
    Row("POST", "/rules/typed/replay",              "x-- --- -- -- -- --- --- -- ?", form={"text": "x"}),
    Row("GET", "/replays/{replay}",                 "n-- --- -- -- -- --- --- -- ?"),
    Row("POST", "/replays/{replay}/cancel",         "n-- --- -- -- -- --- --- -- ?"),
    Row("POST", "/rules/{rule}/end",                "x-- --- -- -- -- --- --- -- ?"),
    Row("POST", "/rules/{rule}/take-back",          "x-- --- -- -- -- --- --- -- ?"),


    Row("POST", "/bundles/import",                  "yyx --- yx yx yx --- --- -- ?", 303,
        body=lambda asked: {"files": {"file": ("matrix.swbundle", asked.bundle())}}),
)  # fmt: skip
