"""Which settings a command works with."""

import argparse
import fcntl
from pathlib import Path

import msgspec

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
