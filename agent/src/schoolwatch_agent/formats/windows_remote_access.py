"""Ways into a Windows machine over the network: remote desktop with or without NLA, and SMB 1.

fDenyTSConnections 1 refuses remote desktop, UserAuthentication 1 asks for Network Level Authentication; the
value below Policies wins over the machine's own. SMB 1 is asked of the server itself
(Get-SmbServerConfiguration, administrators only), else its registry value; mrxsmb10 is the client's driver,
whose Start 4 is "disabled"; Win32_OptionalFeature's InstallState is 1 enabled, 2 disabled, 3 absent.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim
from schoolwatch_agent.formats.registry import Values, why
from schoolwatch_contract.records import Fact, Reading

_POLICY: Final = r"SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"
_LOCAL: Final = r"SYSTEM\CurrentControlSet\Control\Terminal Server"
_SERVICES: Final = r"SYSTEM\CurrentControlSet\Services"
MACHINE: Final = {
    "policy deny": (_POLICY, "fDenyTSConnections"),
    "policy nla": (_POLICY, "UserAuthentication"),
    "local deny": (_LOCAL, "fDenyTSConnections"),
    "local nla": (_LOCAL + r"\WinStations\RDP-Tcp", "UserAuthentication"),
    "smb server": (_SERVICES + r"\LanmanServer\Parameters", "SMB1"),
    "smb client": (_SERVICES + r"\mrxsmb10", "Start"),
    "workstation": (_SERVICES + r"\LanmanWorkstation", "Start"),
}
"""Values below HKEY_LOCAL_MACHINE: key and name."""

_DISABLED: Final = 4
_STARTS: Final = (0, 1, 2, 3, _DISABLED)


def parse(machine: Values, found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """Remote desktop by policy and as the machine is set, SMB 1 of its server, client and feature."""
    for source in ("policy", "local"):
        labels = {"source": source}
        said = machine.get(f"{source} deny")
        deny = cim.flag(said)
        yield from _records("rdp", None if deny is None else not deny, labels, why(said))
        said = machine.get(f"{source} nla")
        yield from _records("rdp_nla", cim.flag(said), labels, why(said))
    live, trouble = cim.part(found, "smb")
    told = [cim.flag(row.get("EnableSMB1Protocol")) for row in live]
    own = machine.get("smb server")
    serves = told[0] if told and told[0] is not None else cim.flag(own)
    yield from _records("smb1", serves, {"source": "server"}, trouble or why(own))
    driver = machine.get("smb client")
    yield from _records("smb1", _client(machine), {"source": "client"}, why(driver, "not reported"))
    feature, trouble = cim.part(found, "smb_feature")
    state = next((cim.whole(row.get("InstallState")) for row in feature), None)
    installed = None if state is None else {1: True, 2: False, 3: False}.get(state)
    yield from _records("smb1", installed, {"source": "feature"}, trouble or "not on this system")


def _client(machine: Values) -> bool | None:
    """A driver that is not there at all beside a workstation service that is, was uninstalled."""
    if machine.get("smb client") is None:
        return False if cim.whole(machine.get("workstation")) in _STARTS else None
    start = cim.whole(machine.get("smb client"))
    return start != _DISABLED if start in _STARTS else None


def _records(name: str, state: bool | None, labels: dict[str, str], reason: str) -> Iterator[Reading | Fact]:
    yield Reading(f"remote_access.{name}", None if state is None else float(state), labels)
    said = None if state is None else "on" if state else "off"
    yield Fact("remote_access.state", said, {"setting": name, **labels}, "" if said else reason)
