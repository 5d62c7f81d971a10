"""A rogue DHCP server on a real network: the watch hears it, the agent tells it, and it is one incident."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from brokers import RunningBroker
from conftest import Peer
from end_to_end.system import System, eventually
from mqtt import wait_for
from schoolwatch_agent import config as agent_config
from schoolwatch_agent import identity
from schoolwatch_agent.chosen import probes_of
from schoolwatch_agent.formats import hints
from schoolwatch_agent.host import Host
from schoolwatch_agent.tick import tick
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules.load import SHIPPED
from switched import GATEWAY, MACS, ROGUE, Net

KEY = "a5" * 32
ASK = "from schoolwatch_agent.discovery import offers; offers('eth0', 1)"
"""As the gateway's own probe of its network does."""


@pytest.fixture
def net(tmp_path: Path, peer: Peer) -> Iterator[Net]:
    if os.geteuid() != 0:
        pytest.skip("not run: needs root for network namespaces")
    for program in ("ip", "dnsmasq"):
        peer(program)
    folder = tmp_path / "net"
    folder.mkdir()
    with ExitStack() as ending:
        yield Net(folder, ending)


@pytest.fixture
def system(mosquitto: RunningBroker, tmp_path: Path) -> Iterator[System]:
    """Its rule has learned all there was to learn, as a week after the gateway came."""
    system = System(tmp_path / "data", mosquitto)
    rule = (SHIPPED / "dhcp_server_new.yaml").read_text()
    (system.data / "rules").mkdir()
    (system.data / "rules" / "dhcp_server_new.yaml").write_text(
        rule.replace("version: 1", "version: 2").replace("seconds: 604800", "seconds: 0.001")
    )
    yield system
    system.stop()


def test_a_rogue_dhcp_server_is_one_incident_of_the_school(net: Net, system: System, tmp_path: Path) -> None:
    device = system.device()
    settings = system.agent_folder(
        tmp_path / "agent",
        device,
        f"[schedule]\nmeasure = 1\ndeliver = 1\n"
        f'[sensors]\ninterfaces = ["eth0"]\nfolder = "{net.folder}/run"\n',
    )
    data = tmp_path / "agent" / "data"
    credential = identity.read_credential(data)
    assert credential is not None
    identity.write_credential(data, msgspec.structs.replace(credential, hint_key=KEY))
    config = agent_config.load(settings)
    sensors = (
        msgspec.structs.replace(next(one for one in probes_of(config) if one.name == "sensors"), every=0),
    )
    system.start_intake()
    system.start("evaluate")
    net.start(GATEWAY, sys.executable, "-P", "-m", "schoolwatch_agent", "watch", "--config", str(settings))
    wait_for(lambda: net.heard()["links"], 60)

    def found() -> list[tuple[str, str, int | None]]:
        assert tick(config, Host(), sensors).trouble is None
        i = tables.incident.c
        with begin_read(system.engine) as conn:
            query = select(i.rule, i.subject, i.device_id)
            return [tuple(row) for row in conn.execute(query)]

    assert found() == [], "it listens, and hears nothing"
    net.serve_dhcp(ROGUE)

    def answered() -> object:
        net.run(GATEWAY, sys.executable, "-c", ASK)
        return net.seen("dhcp.offer", ROGUE)

    wait_for(answered, 60)
    who = hints.station(bytes.fromhex(KEY), MACS[ROGUE])
    only = [("dhcp_server_new", f"school:{system.school}:{who}", None)]
    eventually(lambda: found() == only, 60, lambda: f"{found()} {system.log('evaluate')}")
    with begin_read(system.engine) as conn:
        kept = conn.scalar(select(tables.incident.c.evidence))["last"]
    assert (kept["detail"]["server"], kept["device"]) == ("10.77.0.66", device.id)
    assert found() == only, "told again, it is the same"
