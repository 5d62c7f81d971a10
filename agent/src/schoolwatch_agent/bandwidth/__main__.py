"""The child process of one test: a task on standard input, an outcome on standard output, then gone.

It is started by `Host.speed_test`, with a time limit; what it needs of memory goes with it.
"""

import asyncio
import ssl
import sys
from pathlib import Path

from schoolwatch_agent import identity, lock
from schoolwatch_agent.bandwidth import leave
from schoolwatch_agent.bandwidth.leave import NoLeaveError
from schoolwatch_agent.bandwidth.order import Outcome, Task, decode_task, encode
from schoolwatch_agent.identity import IdentityError

FOLDER = "bandwidth"


def main() -> int:
    """One test."""
    task = decode_task(sys.stdin.read(65536))
    sys.stdout.write(encode(run(task)) + "\n")
    return 0


def run(task: Task) -> Outcome:
    """The test, when nothing speaks against it."""
    try:
        with lock.held(Path(task.data) / FOLDER) as is_ours:
            return _measure(task) if is_ours else Outcome("locked", "another test runs on this machine")
    except NoLeaveError as error:
        return Outcome(error.why, error.detail, error.retry)
    except IdentityError as error:
        return Outcome("not_enrolled", str(error)[:300])


def _measure(task: Task) -> Outcome:
    try:
        from schoolwatch_agent.bandwidth import client  # an extra: pip install 'schoolwatch-agent[bandwidth]'
    except ImportError as error:
        return Outcome("not_installed", str(error)[:300])
    credential = identity.read_credential(Path(task.data))
    if credential is None:
        return Outcome("not_enrolled")
    slot = leave.ask(task.order.url, credential, task.ca)
    tls = ssl.create_default_context(cafile=task.ca or None)
    return asyncio.run(client.measure(slot, task.order.family, task.order.bytes_left, tls))


if __name__ == "__main__":
    sys.exit(main())
