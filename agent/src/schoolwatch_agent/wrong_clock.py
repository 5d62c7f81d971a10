"""Asks the server as this device, also where our wrong clock makes its certificate look out of time."""

import time
from urllib.error import URLError

import msgspec

from schoolwatch_agent import enrol, proven
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.identity import Credential
from schoolwatch_agent.opener import Line, opener
from schoolwatch_agent.trust import is_out_of_time

TIMEOUT = 10.0


def ask(config: AgentConfig, credential: Credential, path: str) -> proven.Answer:
    """The answer at a path of the server that this device enrolled at.

    Raises what `proven.ask` raises, and `EnrolError` for a certificate that is out of its time by the
    server's clock too.
    """
    line = Line(config.ca, config.server.proxy)
    address = credential.url.rstrip("/") + path
    try:
        return proven.ask(opener(line), address, credential, TIMEOUT)
    except URLError as error:
        if not is_out_of_time(error.reason):
            raise
    office = enrol.Office(credential.url, "", config.ca, proxy=config.server.proxy)
    enrol.clock_error(office, time.time(), TIMEOUT)
    return proven.ask(opener(msgspec.structs.replace(line, timeless=True)), address, credential, TIMEOUT)
