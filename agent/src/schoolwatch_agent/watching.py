"""`watch`: opens the links of a gateway that are to be watched, gives up every right, becomes the watch."""

import contextlib
import os
import struct
import sys
from pathlib import Path
from typing import Final

from schoolwatch_agent import lan
from schoolwatch_agent.config import AgentConfig
from schoolwatch_agent.texts import Texts

FAILED = 1

_DROP_BOUND, _NO_NEW_PRIVS = 24, 38
"""prctl(2): PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS."""
_VERSION_3: Final = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3 of capset(2): three sets of 64 bits, in two parts."""
_CAPABILITIES: Final = 64
"""More than any kernel has."""


def become(config: AgentConfig, texts: Texts) -> int:
    """Turns this process into the watch of the settings' links. The exit code of what stands in its way."""
    if sys.platform == "win32":
        return _refuse(texts("watch_on_linux_alone"))
    if not config.sensors.interfaces:
        return _refuse(texts("watch_off"))
    folder = config.sensors.folder
    try:
        words = tuple(_listen(nic, texts) for nic in dict.fromkeys(config.sensors.interfaces))
        Path(folder).mkdir(mode=0o755, parents=True, exist_ok=True)
        _give_up()
    except PermissionError as error:
        return _refuse(texts("watch_not_permitted", problem=error.strerror or error))
    except OSError as error:
        return _refuse(texts("watch_failed", problem=error))
    sys.stderr.flush()
    program = str(Path(lan.__file__).with_name("__main__.py"))
    command = [sys.executable, "-I", "-S", program, folder, f"{config.sensors.ask:g}", *words]
    return os.execv(sys.executable, command)  # nosec B606 # noqa: S606  our own program, without a shell


def _listen(nic: str, texts: Texts) -> str:
    """`eth0=5`: the link and its socket, which goes with the process; `eth0=` for one that is not there."""
    from schoolwatch_agent.lan import link

    if not link.index(nic):
        sys.stderr.write(texts("watch_no_link", nic=nic) + "\n")
        return f"{nic}="
    listening = link.listen(nic)
    if not link.is_ethernet(listening):
        listening.close()
        sys.stderr.write(texts("watch_no_ethernet", nic=nic) + "\n")
        return f"{nic}="
    sys.stderr.write(texts("watch_listens", nic=nic) + "\n")
    os.set_inheritable(listening.fileno(), True)
    return f"{nic}={listening.detach()}"


def _give_up() -> None:
    """After this nobody here may open a raw socket again, nor gain any right. Raises OSError.

    Of another user than root no capability outlives this; of root none that is out of the bounding set
    (capabilities(7)).
    """
    import ctypes  # its memory goes when this process becomes another

    system = ctypes.CDLL(None, use_errno=True)

    def check(done: int) -> None:
        if done != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def control(*words: int) -> None:
        check(system.prctl(*(ctypes.c_ulong(word) for word in (*words, 0, 0, 0)[:5])))

    if os.geteuid() == 0:
        for capability in range(_CAPABILITIES):
            with contextlib.suppress(OSError):  # there is none of this number
                control(_DROP_BOUND, capability, 0)
    check(system.capset(struct.pack("=II", _VERSION_3, 0), bytes(24)))
    control(_NO_NEW_PRIVS, 1, 0)


def _refuse(text: str) -> int:
    sys.stderr.write(text + "\n")
    return FAILED
