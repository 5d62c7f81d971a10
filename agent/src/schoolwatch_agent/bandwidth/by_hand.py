"""`schoolwatch-agent bandwidth`: a technician tests the line now, outside of the plan; the budget holds."""

from collections.abc import Callable

from schoolwatch_agent import settings
from schoolwatch_agent.bandwidth import plan
from schoolwatch_agent.bandwidth.order import Family, Order, Outcome, Way, decode_outcome, encode
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.errors import CommandFailed, NotUnderstood, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import IdentityError
from schoolwatch_agent.probes.bandwidth import LEDGER, TIMEOUT
from schoolwatch_agent.texts import Texts

FINE, FAILED, UNUSABLE = 0, 1, 3

Say = Callable[[str], object]


def measure(
    config: AgentConfig, host: Host, texts: Texts, say: Say, *, url: str = "", family: Family = 4
) -> int:
    """One test against `url`, or the server of the settings, told in words. The exit code."""
    told = settings.read(config.data).bandwidth
    address = url or told.url or config.server.url
    if not address:
        say(texts("no_url"))
        return FAILED
    try:
        ledger = plan.look(plan.decode(host.kept(LEDGER)), told, host.now(), "").ledger
        if ledger.spent + ledger.last_bytes >= told.budget:
            say(texts("skipped_budget"))
            return FAILED
        say(texts("begins", server=address))
        answer = host.speed_test(encode(Order(address, family, told.budget - ledger.spent)), TIMEOUT)
        outcome = decode_outcome(answer)
        # read again: the agent may have made a test of its own meanwhile
        ledger = plan.decode(host.kept(LEDGER))
        host.keep(LEDGER, plan.encode(plan.spend(ledger, outcome, host.now())))
    except (CommandFailed, TimedOut, NotUnderstood) as error:
        say(texts("failed", problem=error))
        return FAILED
    except IdentityError as error:
        say(texts("failed", problem=error))
        return UNUSABLE
    return _tell(outcome, told.busy_above, texts, say)


def _tell(outcome: Outcome, busy_above: float, texts: Texts, say: Say) -> int:
    if outcome.skipped:
        say(texts(f"skipped_{outcome.skipped}"))
        if outcome.detail:
            say(f"  {outcome.detail}")
        if outcome.retry:
            say(texts("retry", seconds=f"{outcome.retry:.0f}"))
        return FAILED
    for name, way in (("download", outcome.download), ("upload", outcome.upload)):
        if way is not None:
            say(texts(name, rate=_megabits(way.rate), family=outcome.family))
            if way.line_rate is not None:
                say(texts("line_rate", rate=_megabits(way.line_rate)))
            _tell_times(way, texts, say)
    if any(way and way.limited for way in (outcome.download, outcome.upload)):
        say(texts("limited_server"))
    elif outcome.busy is None or outcome.busy > busy_above:
        say(texts("limited_client", busy=f"{(outcome.busy or 0) * 100:.0f}"))
    if outcome.assumed and outcome.rate:
        say(texts("assumed", rate=_megabits(outcome.rate)))
    say(texts("cost", megabytes=f"{outcome.bytes / 1e6:.0f}", server=outcome.server))
    return FINE


def _tell_times(way: Way, texts: Texts, say: Say) -> None:
    if way.rtt_min is not None and way.rtt_loaded is not None:
        say(texts("round_trip", least=f"{way.rtt_min * 1e3:.0f}", loaded=f"{way.rtt_loaded * 1e3:.0f}"))


def _megabits(rate: float) -> str:
    return f"{rate / 1e6:.1f}"
