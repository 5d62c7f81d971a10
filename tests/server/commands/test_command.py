"""Which settings a command works with."""

import argparse
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from brokers import environment
from schoolwatch_server.commands import command
from schoolwatch_server.config import of_data, render


def test_while_up_runs_a_command_uses_what_it_was_started_with(tmp_path: Path) -> None:
    """`up --mqtt 127.0.0.1:2999`: `import-bundle --data` has to find the broker there."""
    folder = tmp_path / "data"
    (folder / "run").mkdir(parents=True)
    own = of_data(folder)
    running = msgspec.structs.replace(own, mqtt=msgspec.structs.replace(own.mqtt, port=2999))
    (folder / "run" / "server.toml").write_text(render(running))
    asked = argparse.Namespace(config=None, data=str(folder))
    with (folder / "run" / "up.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert command.config(asked) == running
    assert command.config(asked) == own, "what an `up` that has ended was given counts no more"


def test_who_reads_only_the_first_lines_gets_no_traceback(tmp_path: Path) -> None:
    """`backup | head -1`: the command has done its work."""
    reads, writes = os.pipe()
    os.close(reads)
    words = (sys.executable, "-m", "schoolwatch_server", "migrate", "--data", str(tmp_path / "data"))
    with os.fdopen(writes, "wb") as closed:
        done = subprocess.run(words, stdout=closed, stderr=subprocess.PIPE, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (141, b"")
    assert (tmp_path / "data" / "schoolwatch.db").exists()
