"""The program as a process: how it starts and how it ends, which is most of what a tick costs."""

import gc
import os
import sys

SELDOM = 100_000
"""Objects made before a tick looks for garbage; one that measured left 22,000. What stays looks as always."""


def run() -> None:
    """Runs the command of this process's own words and ends the process with its exit code.

    What is written is flushed, and then the process is ended without taking its modules apart one by one;
    nothing waits for that, because the spool commits for itself.
    """
    if sys.argv[1:2] == ["tick"]:
        gc.set_threshold(SELDOM)
    from schoolwatch_agent.cli import main  # most of those objects are made by loading

    code = main()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:  # a Windows program without a console has none
                stream.flush()
    except OSError:  # whoever read is gone, or the disk is full: the interpreter ends it in its own way
        sys.exit(code)
    os._exit(code)
