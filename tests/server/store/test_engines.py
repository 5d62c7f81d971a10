"""What InfluxDB and VictoriaMetrics answer, and what is made of it; the real ones where they are here."""

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest

from conftest import Peer
from influxdb import DATABASE
from influxdb import holding as holding_influxdb
from schoolwatch_server.store.influx import written
from schoolwatch_server.store.influx.engine import (
    About,
    StoreDownError,
    StoreEngine,
    StoreRefusesError,
    StoreSlowError,
)
from schoolwatch_server.store.influx.metrics import instance, notice, of_clock
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store_section import SeriesStore, trouble
from victoriametrics import RunningVictoriaMetrics
from victoriametrics import holding as holding_victoriametrics

LINE = b"x,tag=a value=1.0 1790000000000000000"


class Scripted(ThreadingHTTPServer):
    """A server that gives the next answer of a list, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, str]] = []
        self.asked: list[tuple[str, str, bytes]] = []
        self.hangs = 0.0
        self.drips = 0
        self.date = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.date or super().date_time_string(timestamp)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.asked.append((self.path, self.headers.get("Authorization", ""), body))
        time.sleep(self.server.hangs)
        if self.server.drips:
            self._drip()
            return
        status, text = self.server.answers.pop(0) if self.server.answers else (204, "")
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode() if status != 204 else b"")

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(self.server.drips):
                self.wfile.write(b" ")
                time.sleep(0.1)

    do_GET = do_POST  # noqa: N815  its name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
        pass


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(params=["bucket", "database", "victoriametrics"])
def engine(request: pytest.FixtureRequest, scripted: Scripted, tmp_path: Path) -> Iterator[StoreEngine]:
    token = tmp_path / "token"
    token.write_text("anna:secret\n")
    sections = {
        "bucket": SeriesStore("influxdb", scripted.url, org="so", bucket="b", token_file=str(token)),
        "database": SeriesStore("influxdb", scripted.url, database="d", token_file=str(token)),
        "victoriametrics": SeriesStore("victoriametrics", scripted.url, token_file=str(token)),
    }
    engine = open_engine(sections[request.param])
    yield engine
    engine.close()


def test_bytes_go_as_they_are_and_the_token_in_a_header(engine: StoreEngine, scripted: Scripted) -> None:
    assert engine.write(LINE) == 0
    ((path, token, body),) = scripted.asked
    assert body == LINE
    assert "secret" not in path
    assert token in ("Token anna:secret", "Bearer anna:secret", "Basic YW5uYTpzZWNyZXQ=")
    assert path.partition("?")[0] in ("/write", "/api/v2/write")
    assert "precision=ns" in path


@pytest.mark.parametrize(
    ("status", "text", "dropped"),
    [
        (400, '{"error":"partial write: points beyond retention policy dropped=3"}', 3),
        (400, '{"error":"partial write: unable to parse \'x\': missing fields dropped=0"}', 1),
        (422, '{"code":"unprocessable entity","message":"partial write: outside retention dropped=2"}', 2),
        (
            400,
            '{"error":"partial write of line protocol","data":[{"line_number":1},{"line_number":4}]}',
            2,
        ),
    ],
)
def test_what_it_dropped_of_a_batch_is_counted(
    status: int, text: str, dropped: int, engine: StoreEngine, scripted: Scripted
) -> None:
    scripted.answers.append((status, text))
    assert engine.write(LINE) == dropped


@pytest.mark.parametrize("text", ['{"error":"Request Entity Too Large"}', "<html><h1>413</h1></html>"])
def test_a_request_that_is_too_large_is_told_apart(
    text: str, engine: StoreEngine, scripted: Scripted
) -> None:
    """A proxy before the store, which takes 1 MB, says so with a page."""
    scripted.answers.append((413, text))
    with pytest.raises(StoreRefusesError, match="413") as refused:
        engine.write(LINE)
    assert refused.value.is_large


@pytest.mark.parametrize("status", [400, 422])
def test_what_it_never_takes_is_refused(status: int, engine: StoreEngine, scripted: Scripted) -> None:
    scripted.answers.append((status, '{"error":"unable to parse"}'))
    with pytest.raises(StoreRefusesError, match=f"{status} .*unable to parse"):
        engine.write(LINE)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 507])
def test_what_people_or_time_can_mend_is_waited_for(
    status: int, engine: StoreEngine, scripted: Scripted
) -> None:
    scripted.answers.append((status, "database not found"))
    with pytest.raises(StoreDownError, match=f"{status} database not found"):
        engine.write(LINE)
    assert len(scripted.asked) == 1, "nobody else tries again"


def test_one_that_hangs_is_left(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.hangs = 1.0
    monkeypatch.setattr(written, "ANSWER", 0.2)
    for section in (
        SeriesStore("influxdb", scripted.url, database="d"),
        SeriesStore("victoriametrics", scripted.url),
    ):
        engine = open_engine(section, answer=0.2)
        with pytest.raises(StoreSlowError, match="Timeout"):
            engine.write(LINE)
        engine.close()


def test_nothing_there_is_told_apart_from_refusing(free_port: Callable[[], int]) -> None:
    for kind in ("influxdb", "victoriametrics"):
        engine = open_engine(SeriesStore(kind, f"http://127.0.0.1:{free_port()}", database="d"))
        with pytest.raises(StoreDownError):
            engine.write(LINE)
        with pytest.raises(StoreDownError):
            engine.about()
        with pytest.raises(StoreDownError):
            list(engine.read("x", ["value"], {}, 0, 1))
        engine.close()


def test_a_token_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreDownError, match=r"store\.token_file: .*none"):
        open_engine(SeriesStore("victoriametrics", "http://127.0.0.1:1", token_file=str(tmp_path / "none")))


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    section = SeriesStore("victoriametrics", "https://127.0.0.1:1", ca_file=str(tmp_path / "none"))
    with pytest.raises(StoreDownError, match=r"store\.ca_file: .*none"):
        open_engine(section)


def test_an_answer_of_something_else_is_no_answer(engine: StoreEngine, scripted: Scripted) -> None:
    scripted.answers.append((200, "<html>login</html>"))
    with pytest.raises(StoreDownError, match="what answers is no"):
        list(engine.read("x", ["value"], {}, 0, 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        '"x"',
        "{}",
        '{"results":5}',
        '{"results":[]}',
        '{"results":[5]}',
        "\\ud800",
        "NaN",
        '{"results":[{"series":5}]}',
        '{"results":[{"series":[5]}]}',
        '{"results":[{"series":[{"values":[[]]}]}]}',
        '{"results":[{"series":[{"values":[["now",1]]}]}]}',
        '{"results":[{"series":[{"values":[[1,"x"]]}]}]}',
        '{"results":[{"series":[{"values":[[1,2,3]]}]}]}',
        '{"results":[{"series":[{"values":[[1,2]],"tags":5}]}]}',
        '{"results":[{"series":[{"values":[[1,2]],"partial":true}]}]}',
        '{"results":[{"error":"timeout"}]}',
        '{"error":"database not found"}',
        '{"results":[{}],"error":"later"}',
        '{"metric":{},"values":[1],"timestamps":[1]}',
        '{"metric":{"__name__":"y"},"values":[1],"timestamps":[1]}',
        '{"metric":{"__name__":"x_value"},"values":[1,2],"timestamps":[1]}',
        '{"metric":{"__name__":"x_value"},"values":["a"],"timestamps":[1]}',
        '{"metric":{"__name__":"x_value"},"values":[1],"timestamps":[1]}\n{"metric":',
        "[" * 5000,
    ],
)
def test_rubbish_is_no_answer(engine: StoreEngine, scripted: Scripted, text: str) -> None:
    """A page is then made of the database, as where the store is away: it is no error of ours."""
    scripted.answers.append((200, text))
    with contextlib.suppress(StoreDownError):
        assert not list(engine.newest("x", 0, 1))
    scripted.answers[:] = [(200, text)]
    try:
        found = list(engine.read("x", ["value"], {}, 0, 1))
    except StoreDownError:
        return
    assert not text or text.startswith("{}"), "nothing at all is what VictoriaMetrics says of nothing"
    assert not found


@pytest.mark.parametrize("answer", [(200, "<html>log in</html>"), (200, ""), (202, "{}"), (400, "<html>")])
def test_what_somebody_else_says_to_a_write_is_not_taken_for_a_yes(
    engine: StoreEngine, scripted: Scripted, answer: tuple[int, str]
) -> None:
    """A proxy or the page of a login: what was told it would be lost."""
    scripted.answers.append(answer)
    with pytest.raises(StoreDownError, match="what answers is none"):
        engine.write(LINE)


@pytest.mark.parametrize(
    "answers",
    [
        [(200, "<html>log in</html>")],
        [],  # whoever says 204 to everything
        [(204, ""), (200, "{}")],
        [(204, ""), (200, "[1]")],
        [(200, "process_start_time_seconds 1.79e9\nnode_load1 0.1\n")],
    ],
)
def test_somebody_else_is_no_start_of_the_store(
    engine: StoreEngine, scripted: Scripted, answers: list[tuple[int, str]]
) -> None:
    """Else all would be settled with somebody who keeps nothing."""
    scripted.answers += answers
    with pytest.raises(StoreDownError, match=r"no (InfluxDB|VictoriaMetrics)[:,]"):
        engine.about()


def test_an_influxdb_behind_a_proxy_that_hides_its_version_is_one(scripted: Scripted) -> None:
    engine = open_engine(SeriesStore("influxdb", scripted.url, database="d"))
    scripted.answers += [(204, ""), (200, '{"results":[{"statement_id":0}]}'), (404, "")]
    assert engine.about() == About()
    for refusal in (
        '{"error":"authorization failed"}',
        '{"error":"error authorizing query: create admin user first or disable authentication"}',
        '{"code":"unauthorized","message":"unauthorized access"}',
    ):
        scripted.answers += [(204, ""), (401, refusal), (404, "")]
        assert engine.about() == About()
    engine.close()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, '{"error":"no such page"}'),
        (404, '{"error":"Not Found","path":"/query"}'),
        (401, '{"error":"please log in"}'),
        (200, '{"status":"error","errorType":"bad_data","error":"unknown"}'),
        (200, "<h1>Trang chủ</h1>"),
    ],
)
def test_it_is_said_what_answers_instead(scripted: Scripted, status: int, text: str) -> None:
    engine = open_engine(SeriesStore("influxdb", scripted.url, database="d"))
    scripted.answers += [(204, ""), (status, text)]
    with pytest.raises(StoreDownError) as refused:
        engine.about()
    assert f"/query {status} of BaseHTTP" in str(refused.value)
    assert text in str(refused.value)
    engine.close()


@pytest.mark.parametrize("kind", ["influxdb", "victoriametrics"])
def test_an_answer_that_does_not_end_is_left(
    kind: Literal["influxdb", "victoriametrics"], scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(SeriesStore(kind, scripted.url, database="d"), answer=0.5)
    scripted.drips = 40
    began = time.monotonic()
    with pytest.raises(StoreDownError, match="does not end"):
        list(engine.read("x", ["value"], {}, 0, 1))
    assert time.monotonic() - began < 6
    scripted.drips = 0
    monkeypatch.setattr("schoolwatch_server.store.influx.http.LARGEST", 10)
    scripted.answers.append((200, "x" * 11))
    with pytest.raises(StoreDownError, match="does not end"):
        list(engine.read("x", ["value"], {}, 0, 1))
    engine.close()


def test_a_bucket_of_influxdb_3_core_cannot_be_deleted_from(scripted: Scripted) -> None:
    engine = open_engine(SeriesStore("influxdb", scripted.url, bucket="b"))
    scripted.answers += [(404, ""), (204, ""), (500, "later")]
    assert not engine.delete("device", "ab")
    assert engine.delete("device", "ab")
    assert b'"predicate":"device=\\"ab\\""' in scripted.asked[1][2]
    with pytest.raises(StoreDownError, match="later"):
        engine.delete("device", "ab")
    engine.close()


def test_what_a_store_says_of_itself() -> None:
    well = (
        'flag{name="dedup.minScrapeInterval", value="1ms", is_set="true"} 1\n'
        'flag{name="retentionPeriod", value="5y", is_set="true"} 1\n'
    )
    assert instance(f"# HELP x\nprocess_start_time_seconds 1.79e9\n{well}") == "1.79e9"
    assert instance("go_threads 4\n") == ""
    assert notice(well) == notice("") == ""
    wrong = well.replace("1ms", "0s").replace('value="5y", is_set="true"', 'value="1", is_set="false"')
    assert "counts twice" in notice(wrong)
    assert "one month" in notice(wrong)
    assert "is 31 days, store.retention_days says 1825" in notice(well.replace("5y", "1"), 1825)
    assert notice(well, 1826) == notice(well.replace("5y", "a while"), 1825) == ""


def test_a_victoriametrics_that_asks_who_comes(
    peer: Peer, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    asks = ("-httpAuth.username=sw", "-httpAuth.password=secret")
    running = RunningVictoriaMetrics(peer("victoria-metrics"), tmp_path / "held", free_port(), flags=asks)
    running.start()
    try:
        told, told_wrong = tmp_path / "told", tmp_path / "wrong"
        told.write_text("\ufeffsw:secret\r\n")
        told_wrong.write_text("sw:other")
        line = b"x,device=a value=1.0 1790000000000000000"
        engine = open_engine(SeriesStore("victoriametrics", running.url, token_file=str(told)))
        assert engine.about().instance
        assert engine.write(line) == 0
        assert list(engine.read("x", ["value"], {}, 0, 1)) == []
        engine.close()
        engine = open_engine(SeriesStore("victoriametrics", running.url, token_file=str(told_wrong)))
        with pytest.raises(StoreDownError, match=r"401.*what store\.token_file names is wrong"):
            engine.write(line)
        engine.close()
        engine = open_engine(SeriesStore("influxdb", running.url, database="d", token_file=str(told)))
        with pytest.raises(StoreDownError, match=r'set store\.kind = "victoriametrics"'):
            engine.about()  # asked for databases it answers as an InfluxDB
        engine.close()
    finally:
        running.stop()


@pytest.mark.parametrize("kind", ["influxdb", "victoriametrics"])
def test_the_real_ones_tell_their_starts_apart_and_delete(
    kind: str, peer: Peer, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    lines = [
        f"{name},device={device} value=1.0 1790000000000000000" for name in "xy" for device in ("a", "b")
    ]
    holding, program, more = {
        "influxdb": (holding_influxdb, "influxd", {"database": DATABASE}),
        "victoriametrics": (holding_victoriametrics, "victoria-metrics", {}),
    }[kind]
    with holding(peer(program), tmp_path, free_port, lines) as running:
        engine = open_engine(SeriesStore(kind, running.url, **more))
        first = engine.about()
        assert (first.notice, first.instance != "") == ("", True)
        assert engine.about() == first
        assert engine.delete("device", "a")
        assert engine.delete("device", "b", "x")

        def left(name: str) -> list[str]:
            found = engine.read(name, ["value"], {}, 0, 1_800_000_000_000_000_000)
            return sorted(one.tags["device"] for one in found)

        assert (left("x"), left("y")) == ([], ["b"])
        engine.close()


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        (SeriesStore(), None),
        (SeriesStore("victoriametrics", "http://127.0.0.1:8428"), None),
        (SeriesStore("victoriametrics", "127.0.0.1:8428"), "store.url"),
        (SeriesStore("victoriametrics", "http://anna:pw@host"), "store.url"),
        (SeriesStore("victoriametrics", "http://host:99999"), "store.url"),
        (SeriesStore("influxdb", "https://host"), "store.bucket"),
        (SeriesStore("influxdb", "https://host", database="d", bucket="b"), "store.bucket"),
        (SeriesStore("influxdb", "https://host", bucket="b"), None),
    ],
)
def test_the_settings_are_checked(section: SeriesStore, wrong: str | None) -> None:
    said = trouble(section)
    assert said is None if wrong is None else said is not None and said.startswith(wrong)


@pytest.mark.parametrize(
    ("date", "says"),
    [
        ("Mon, 30 Nov 2026 09:00:00 GMT", ""),
        ("Mon, 30 Nov 2026 09:59:00 GMT", ""),
        ("Mon, 30 Nov 2026 12:00:00 GMT", "its clock is 3 h ahead of this server's"),
        ("Sat, 28 Nov 2026 09:00:00 GMT", "its clock is 48 h behind this server's"),
        ("", ""),
        ("yesterday", ""),
        ("Mon, 99 Nov 2026 09:00:00 GMT", ""),
    ],
)
def test_a_store_by_another_clock_is_told(date: str, says: str) -> None:
    """By its own clock VictoriaMetrics drops what lies two days ahead, and says nothing."""
    assert of_clock(date, 1796029200.0).startswith(says)
    assert bool(of_clock(date, 1796029200.0)) == bool(says)


def test_its_clock_is_in_each_answer(engine: StoreEngine, scripted: Scripted) -> None:
    scripted.date = "Sat, 28 Nov 2020 09:00:00 GMT"
    said = 'vm_app_version{x="y"} 1\nprocess_start_time_seconds 1.5\n'
    is_victoria = type(engine).__name__ == "VictoriaMetrics"
    scripted.answers += [(200, said)] if is_victoria else [(200, '{"version":"3"}'), (404, "")]
    assert "behind this server's: set both right" in engine.about().notice
