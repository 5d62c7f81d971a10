"""`schoolwatch-agent bandwidth`: the result in words, in both languages, and what it cost is kept."""

from pathlib import Path

import msgspec
import pytest

from schoolwatch_agent.bandwidth import by_hand, plan
from schoolwatch_agent.bandwidth.order import Order, Outcome, Way, Why, encode
from schoolwatch_agent.config import Agent, AgentConfig, Server
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host, Own
from schoolwatch_agent.probes.bandwidth import LEDGER
from schoolwatch_agent.texts import Language, Texts

WAY = Way(19.1e6, 24_000_000, 10.0, 0.030, 0.065, congestion_control="bbr", line_rate=20e6)
GOOD = Outcome(family=6, server="s:1", download=WAY, upload=WAY, busy=0.2, bytes=50_000_000)


class Told(Host):
    """The machine, with a child that answers as the test says."""

    def __init__(self, data: Path, outcome: Outcome | None) -> None:
        super().__init__(own=Own(data))
        self.outcome, self.orders = outcome, list[Order]()

    def speed_test(self, order: str, timeout: float) -> str:
        self.orders.append(msgspec.json.decode(order, type=Order))
        if self.outcome is None:
            raise TimedOut("bandwidth test", timeout)
        return encode(self.outcome)


def say(data: Path, outcome: Outcome | None, language: Language = "en", **more: str) -> tuple[int, str, Told]:
    """Exit code, what was said, and the machine."""
    host, said = Told(data, outcome), list[str]()
    config = AgentConfig(
        agent=Agent(data=str(data)), server=Server(url=more.get("own", "https://own.example"))
    )
    code = by_hand.measure(
        config, host, Texts("bandwidth", language), said.append, url=more.get("url", ""), family=6
    )
    return code, "\n".join(said), host


@pytest.mark.parametrize(
    ("language", "word"), [("vi", "Tải xuống: 19.1 Mbit/s"), ("en", "Download: 19.1 Mbit/s")]
)
def test_a_result_is_told_in_words(tmp_path: Path, language: Language, word: str) -> None:
    code, said, _ = say(tmp_path, GOOD, language)
    assert code == 0
    assert word in said
    assert "(IPv6)" in said
    assert "30 ms" in said
    assert "65 ms" in said
    assert "20.0 Mbit/s" in said
    assert "50 MB" in said
    assert "limi" not in said.lower()


def test_what_held_it_back_is_said(tmp_path: Path) -> None:
    held = msgspec.structs.replace(GOOD, upload=msgspec.structs.replace(WAY, limited=True))
    assert "Máy chủ giới hạn tốc độ" in say(tmp_path, held, "vi")[1]
    assert "97% busy" in say(tmp_path, msgspec.structs.replace(GOOD, busy=0.97))[1]
    assert "assumed 100.0" in say(tmp_path, msgspec.structs.replace(GOOD, rate=1e8, assumed=True))[1]


@pytest.mark.parametrize("why", msgspec.inspect.type_info(Why).values)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_reason_has_its_words(tmp_path: Path, why: Why, language: Language) -> None:
    code, said, _ = say(tmp_path, Outcome(why, "HTTP 500 because", 12.0), language)
    assert code == 1
    assert "HTTP 500 because" in said
    assert "12" in said


def test_the_server_is_the_one_asked_for_or_the_settings_files(tmp_path: Path) -> None:
    assert say(tmp_path, GOOD)[2].orders[0].url == "https://own.example"
    assert say(tmp_path, GOOD, url="https://x.example")[2].orders[0].url == "https://x.example"
    code, said, host = say(tmp_path, GOOD, own="")
    assert (code, host.orders) == (1, [])
    assert "--url" in said


def test_its_cost_is_kept_and_the_budget_holds(tmp_path: Path) -> None:
    say(tmp_path, GOOD)
    assert plan.decode((tmp_path / LEDGER).read_bytes()).spent == 50_000_000
    month = plan.decode((tmp_path / LEDGER).read_bytes()).month
    (tmp_path / LEDGER).write_bytes(plan.encode(plan.Ledger(month=month, spent=10**10)))
    code, said, host = say(tmp_path, GOOD)
    assert (code, host.orders) == (1, [])
    assert "budget" in said


def test_a_child_that_hangs_is_said(tmp_path: Path) -> None:
    code, said, _ = say(tmp_path, None)
    assert code == 1
    assert "no answer within" in said
