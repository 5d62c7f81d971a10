"""A process that forks evaluating ones on demand: `python killing.py FOLDER`, a line on stdin starts one.

It has imported everything before, so that a killed one is followed by the next within a few milliseconds.
"""

import os
import signal
import sys
from pathlib import Path

from databases import settings_of
from schoolwatch_server import channels, evaluate, notify, packs, texts
from schoolwatch_server.config import Notify
from schoolwatch_server.duty import fold
from schoolwatch_server.sheets import rules_in_force


def main(folder: str) -> None:
    """Prints the process id of each that it starts."""
    evaluate.LEASE_SECONDS, evaluate.RENEW_EVERY, evaluate.LOOK_EVERY = 0.15, 0.05, 0.02
    evaluate.SEND_EVERY, notify.CLAIMED, fold.BURST = 0.05, 1.0, 10**6
    settings = settings_of(Path(folder), notify=Notify(urls_file=f"{folder}/urls"))
    texts.load(), packs.load(), rules_in_force(settings)  # once for all of them
    channels.check("json://127.0.0.1/x")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            evaluate.run(settings)
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
