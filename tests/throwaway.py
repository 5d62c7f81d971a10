"""A computer to install on: this machine's disk under layers of its own, in a network with no way out.

Needs root: a mount namespace, a network namespace and an overlay. What the layers hold afterwards is exactly
what was changed on the disk.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mqtt import wait_for

LAYERED = ("etc", "home", "opt", "root", "srv", "usr", "var")
"""Folders of the disk that have a layer: the root itself has none, else the computer would look frozen."""

ENTER = """\
set -eu
mount --make-rprivate /
mount --bind "$1/disk" "$1/disk"
for name in $layered; do
    mkdir -p "$1/disk/$name" "$1/changed/$name" "$1/work/$name"
    mount -t overlay overlay \\
        -o lowerdir="/$name",upperdir="$1/changed/$name",workdir="$1/work/$name" "$1/disk/$name"
done
for name in proc sys run tmp dev; do mkdir -p "$1/disk/$name"; done
for name in bin sbin lib lib32 lib64 libx32; do
    [ ! -L "/$name" ] || [ -L "$1/disk/$name" ] || cp -P "/$name" "$1/disk/$name"
done
mount -t proc proc "$1/disk/proc"
mount -t sysfs -o ro sysfs "$1/disk/sys"
mount -t tmpfs tmpfs "$1/disk/run"
mount -t tmpfs tmpfs "$1/disk/tmp"
mount --rbind /dev "$1/disk/dev"
mkdir -p "$1/disk/run/usb"
mount --bind "$2" "$1/disk/run/usb"
mount -o remount,bind,ro,noexec "$1/disk/run/usb"
ip link set lo up
[ "$3" != /lib/systemd/systemd ] || mount -t cgroup2 cgroup2 "$1/disk/sys/fs/cgroup"
disk=$1/disk
shift 2
cd /
exec chroot "$disk" env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
"""

_ASKED = "var/log/apt"
"""What Debian's own programs write when root asks them about updates."""


class Line:
    """A network namespace whose only way leads to one address of this machine, `server`."""

    def __init__(self) -> None:
        self.name = f"swkit{os.getpid()}"
        net = f"10.213.{os.getpid() % 256}"  # another one for each worker that runs tests
        self.server, self.client = f"{net}.1", f"{net}.2"

    def plug_in(self) -> None:
        """Makes namespace and line."""
        inside = f"{self.name}c"
        _ip("netns", "add", self.name)
        _ip("link", "add", self.name, "type", "veth", "peer", "name", inside, "netns", self.name)
        _ip("addr", "add", f"{self.server}/30", "dev", self.name)
        _ip("link", "set", self.name, "up")
        _ip("-n", self.name, "addr", "add", f"{self.client}/30", "dev", inside)
        _ip("-n", self.name, "link", "set", inside, "up")

    def unplug(self) -> None:
        """Leaves nothing on the real machine."""
        for words in (("link", "del", self.name), ("netns", "del", self.name)):
            subprocess.run(["ip", *words], capture_output=True, check=False)

    def set(self, state: str) -> None:
        """`up` or `down`."""
        _ip("link", "set", self.name, state)


class Computer:
    """One throw-away machine; `run` starts a program on it with the stick at /run/usb, write-protected."""

    def __init__(self, folder: Path, stick: Path, line: Line) -> None:
        self.folder, self.stick, self.line = folder, stick, line
        for name in ("changed", "work", "disk"):
            (folder / name).mkdir(parents=True)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A program on that computer, as root."""
        done = subprocess.run(
            self._entered("--mount", *command),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        shutil.rmtree(self.folder / "work")  # an overlay leaves a folder there that no other may use
        (self.folder / "work").mkdir()
        return done

    @contextmanager
    def booted(self) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
        """The computer with systemd as its first process; gives what runs a program on it."""
        spaces = ("--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc")
        systemd = ("/lib/systemd/systemd", "--system", "--unit=basic.target", "--show-status=no")
        with (self.folder / "boot.log").open("wb") as log:
            started = subprocess.Popen(
                self._entered(*spaces, *systemd), env=self._environment(), stdout=log, stderr=log
            )
        try:
            first = wait_for(lambda: _child(started.pid))
            wait_for(lambda: Path("/proc", str(first), "root", "run/systemd/private").exists())
            inside = ("-m", "-p", "-u", "-i", "-n", "-C", f"--root=/proc/{first}/root", "--wd=/")

            def run(*command: str) -> subprocess.CompletedProcess[str]:
                path = ("PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
                words = ["nsenter", "-t", str(first), *inside, "env", "-i", *path, *command]
                return subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)

            yield run
        finally:
            started.kill()  # --kill-child: systemd, and with it everything in its namespace
            started.wait(20)

    def _entered(self, *words: str) -> list[str]:
        """`words`: the options of unshare, then a command."""
        first = next(number for number, word in enumerate(words) if not word.startswith("--"))
        options, command = words[:first], words[first:]
        inside = ("ip", "netns", "exec", self.line.name, "unshare", *options, "sh", "-c", ENTER, "enter")
        return [*inside, str(self.folder), str(self.stick), *command]

    @staticmethod
    def _environment() -> dict[str, str]:
        return {**os.environ, "layered": " ".join(LAYERED)}

    def changed(self) -> set[str]:
        """Files and folders that differ from the disk below."""
        top = self.folder / "changed"
        found = [path.relative_to(top) for path in top.rglob("*")]
        return {
            str(path)
            for path in found
            if not ((top / path).is_dir() and Path("/", path).is_dir()) and not path.is_relative_to(_ASKED)
        }


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


def _child(pid: int) -> int | None:
    """The first process of the namespace: `ip` and `unshare` have become one, which waits for it."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(found[0]) if found else None
