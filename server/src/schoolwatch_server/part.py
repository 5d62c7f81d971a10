"""What every long-lived part of the server does when it starts: it ends on a signal, and seldom sweeps."""

import gc
import signal
import threading

_NEW = 100_000
"""New objects before Python looks for cycles: a batch makes 20,000, the indicators of a province 60,000."""


def stop_on_signal() -> threading.Event:
    """Is set by SIGTERM and SIGINT; for the main thread of a process."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    return stop


def sweep_seldom() -> None:
    """From now on; called when all is loaded, which is then never looked through again.

    Looking took a quarter of the time of a batch of reports, and a tenth of that of all indicators.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, 10, 10)
