import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from schoolwatch_agent import admission, identity, probes
from schoolwatch_agent.cli import main
from schoolwatch_agent.config import Agent, AgentConfig
from schoolwatch_agent.enrol import EnrolError, Office, check_address, check_server, enrol
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Broker, Credential, IdentityError
from schoolwatch_agent.opener import Line

GOOD = {
    "device": "ab" * 16,
    "key": "cd" * 32,
    "password": "a password",
    "mqtt": {"host": "127.0.0.1", "port": 18830, "tls": False},
    "hint_key": "ef" * 32,
    "label": "Máy 01",
    "standing": "approved",
}
Answering = Callable[..., str]


class Asked(HTTPServer):
    questions: list[dict[str, str]]
    answer: tuple[int, bytes, dict[str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Asked

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.questions.append({"path": self.path, **json.loads(body)})
        self._answer()

    def do_GET(self) -> None:
        self.server.questions.append({"path": self.path})
        self._answer()

    def _answer(self) -> None:
        status, content, headers = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def http() -> Iterator[Asked]:
    server = Asked(("127.0.0.1", 0), Handler)
    server.questions, server.answer = [], (201, json.dumps(GOOD).encode(), {})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(tmp_path: Path, http: Asked) -> str:
    file = tmp_path / "agent.toml"
    url = f"http://127.0.0.1:{http.server_port}"
    file.write_text(f'[agent]\ndata = "data"\nlanguage = "en"\n[server]\nurl = "{url}"\n')
    return str(file)


def test_a_token_from_a_file_becomes_a_credential_for_the_agent_alone(
    http: Asked, config: str, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("let-me-in\n")
    assert main(["enrol", "--config", config, "--token-file", str(tmp_path / "token")]) == 0
    credential = identity.read_credential(tmp_path / "data")
    where = Broker("127.0.0.1", 18830)
    url = f"http://127.0.0.1:{http.server_port}"
    assert credential == Credential("ab" * 16, "cd" * 32, "a password", where, "ef" * 32, url)
    assert (tmp_path / "data" / "credential.json").stat().st_mode & 0o777 == 0o600
    before, question = http.questions
    assert before == {"path": "/api/v1/enrol/hint-key", "token": "let-me-in"}
    assert question["path"] == "/api/v1/enrol"
    assert question["token"] == "let-me-in"
    assert question["install_id"] == identity.install_id(tmp_path / "data")


def test_a_second_enrolment_needs_to_be_wished(
    http: Asked, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enrol", "--config", config, "--token", "x"]) == 0
    assert main(["enrol", "--config", config, "--token", "x"]) == 0
    assert "--again" in capsys.readouterr().err
    assert len(http.questions) == 2
    assert main(["enrol", "--config", config, "--token", "x", "--again"]) == 0
    assert http.questions[1]["install_id"] == http.questions[3]["install_id"]


def test_a_computer_that_waits_is_told_so_at_once_and_at_each_look(
    http: Asked, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    http.answer = (201, json.dumps({**GOOD, "standing": "pending"}).encode(), {})
    assert main(["enrol", "--config", config, "--token", "x", "--room", "Phòng 1"]) == 0
    assert "Enrolled as Máy 01, and WAITING FOR APPROVAL" in capsys.readouterr().out
    assert http.questions[1]["room"] == "Phòng 1"
    assert main(["enrol", "--config", config, "--token", "x"]) == 0
    assert "waits for approval" in capsys.readouterr().err
    credential = identity.read_credential(tmp_path / "data")
    assert credential is not None
    assert credential.pending


@pytest.mark.parametrize(
    ("status", "content", "key"),
    [
        (403, b'{"title":"Token refused","detail":"it expired"}', "token_refused"),
        (404, b"<html>", "not_a_server"),
        (429, b"{}", "too_often"),
        (500, b"[]", "server_error"),
        (422, b'{"title":"Token refused","detail":"it expired"}', "refused"),
        (201, b"{}", "not_a_server"),
        (201, b'{"device":"../etc","key":"","password":"x","mqtt":{"host":"h","port":1}}', "not_a_server"),
        (201, b"\xff" * 100_000, "not_a_server"),
        (302, b"", "refused"),
    ],
)
def test_an_answer_that_is_no_credential_is_explained(
    http: Asked, status: int, content: bytes, key: str
) -> None:
    url = f"http://127.0.0.1:{http.server_port}"
    http.answer = (status, content, {"Location": url} if status == 302 else {})
    with pytest.raises(EnrolError) as caught:
        enrol(Office(url, "secret-token"), "ab" * 16)
    assert caught.value.key == key
    assert "secret-token" not in str(caught.value)
    if b"expired" in content:
        assert "Token refused: it expired" in str(caught.value)
    assert len(http.questions) == 1


def test_a_refusal_is_told_with_advice(
    http: Asked, config: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    http.answer = (403, b'{"title":"used up"}', {})
    assert main(["enrol", "--config", config, "--token", "x"]) == 1
    assert "used up" in (said := capsys.readouterr().err)
    assert "Ask the administrator" in said
    assert identity.read_credential(tmp_path / "data") is None


def test_a_failure_is_told_in_vietnamese_and_then_in_the_servers_words(
    http: Asked, config: str, capsys: pytest.CaptureFixture[str], free_port: Callable[[], int]
) -> None:
    asking = ["enrol", "--config", config, "--lang", "vi", "--token"]
    http.answer = (403, b'{"title":"Not allowed","detail":"used up"}', {})
    assert main([*asking, "x"]) == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert (
        first == "Không đăng ký được: máy chủ không nhận mã đăng ký (chi tiết: HTTP 403 Not allowed: used up)"
    )
    assert main([*asking, ""]) == 1
    assert capsys.readouterr().err.splitlines()[0] == "Không đăng ký được: mã đăng ký để trống"
    assert main([*asking, "x", "--url", f"http://127.0.0.1:{free_port()}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Không đăng ký được: không kết nối được tới máy chủ (chi tiết: ")
    assert "Errno" not in said


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://server.example", "plain_http"),
        ("http://127.0.0.1.example", "plain_http"),
        ("file:///etc/passwd", "bad_url"),
        ("server", "bad_url"),
    ],
)
def test_a_token_goes_only_where_nobody_listens(url: str, key: str) -> None:
    with pytest.raises(EnrolError) as caught:
        check_address(url, insecure_http=False)
    assert caught.value.key == key


@pytest.mark.parametrize("url", ["https://server.example", "http://127.0.0.1:1", "http://[::1]:1"])
def test_https_and_this_machine_are_fine(url: str) -> None:
    check_address(url, insecure_http=False)
    check_address("http://server.example", insecure_http=True)


def test_http_is_told_apart_from_a_server_that_is_not_there(tmp_path: Path) -> None:
    config = AgentConfig(agent=Agent(data=str(tmp_path)))
    with pytest.raises(EnrolError) as caught:
        admission.admit(config, Office("http://192.0.2.1:8443", f"swe_x.{'A' * 22}"), Host())
    assert caught.value.key == "plain_http"


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b'{"status":"ok"}', "✔ Máy chủ {url} có trả lời."),
        (200, b"<html>", "✘ Máy chủ {url} chưa trả lời đúng: câu trả lời không phải của máy chủ SchoolWatch"),
        (200, b"\xff", "✘ Máy chủ {url} chưa trả lời đúng: câu trả lời không phải của máy chủ SchoolWatch"),
        (
            404,
            b"",
            "✘ Máy chủ {url} chưa trả lời đúng: câu trả lời không phải của máy chủ SchoolWatch (chi tiết",
        ),
        (403, b"", "✘ Máy chủ {url} chưa trả lời đúng: máy chủ không nhận yêu cầu (chi tiết: HTTP 403"),
        (502, b"", "✘ Máy chủ {url} chưa trả lời đúng: máy chủ gặp lỗi (chi tiết: HTTP 502"),
    ],
)
def test_doctor_asks_the_server_before_the_enrolment(
    http: Asked, config: str, capsys: pytest.CaptureFixture[str], status: int, content: bytes, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(probes, "probes", lambda *_, **__: ())
    http.answer = (status, content, {})
    assert main(["doctor", "--config", config, "--lang", "vi"]) == 1
    assert said.format(url=f"http://127.0.0.1:{http.server_port}") in capsys.readouterr().out
    assert http.questions == [{"path": "/healthz"}]


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (366 * 86_400.0, "nhanh hơn máy chủ 366 ngày"),
        (3600.0, "nhanh hơn máy chủ 60 phút"),
        (-3600.0, "chậm hơn máy chủ 60 phút"),
        (300.0, "✔ Đồng hồ của máy hợp lý"),
    ],
)
def test_doctor_holds_the_clock_against_the_server_s(
    http: Asked, config: str, capsys: pytest.CaptureFixture[str], ahead: float, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(probes, "probes", lambda *_, **__: ())
    http.answer = (200, b'{"status":"ok"}', {})
    now = Host.now
    monkeypatch.setattr(Host, "now", lambda self: now(self) + ahead)
    main(["doctor", "--config", config, "--lang", "vi"])
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    "url", ["http://[x", "http://127.0.0.1:x", "http://máy..chủ", "http://127.0.0.1:1/ờ"]
)
def test_an_address_that_cannot_be_asked_is_explained(url: str) -> None:
    with pytest.raises(EnrolError) as caught:
        check_server(url, line=Line(), wait=1)
    assert caught.value.key in ("bad_url", "unreachable")


def test_nobody_there_is_explained(free_port: Callable[[], int]) -> None:
    with pytest.raises(EnrolError) as caught:
        enrol(Office(f"http://127.0.0.1:{free_port()}", "x"), "ab" * 16)
    assert caught.value.key == "unreachable"


def test_a_damaged_credential_tells_its_file_and_no_secret(tmp_path: Path) -> None:
    identity.write_private(tmp_path / "credential.json", b'{"device":"x","key":"topsecret"}')
    with pytest.raises(IdentityError, match=r"credential\.json is damaged") as caught:
        identity.read_credential(tmp_path)
    assert "topsecret" not in str(caught.value)


def test_a_credential_shows_no_secret() -> None:
    shown = repr(Credential("ab" * 16, "cd" * 32, "a password", Broker("h", 1)))
    assert "cdcd" not in shown
    assert "a password" not in shown


def test_the_install_id_is_random_and_stays(tmp_path: Path) -> None:
    first = identity.install_id(tmp_path / "a")
    assert identity.install_id(tmp_path / "a") == first != identity.install_id(tmp_path / "b")
    (tmp_path / "a" / "install_id").write_text("cut off")
    assert len(identity.install_id(tmp_path / "a")) == 32
