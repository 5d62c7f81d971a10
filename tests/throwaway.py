"""A computer to install on: this machine's disk under layers of its own, in a network with no way out.

Needs root: a mount namespace, a network namespace and an overlay. What the layers hold afterwards is exactly
what was changed on the disk.
"""

import os
import shutil
import subprocess
from pathlib import Path

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
mount -t sysfs sysfs "$1/disk/sys"
mount -t tmpfs tmpfs "$1/disk/run"
mount -t tmpfs tmpfs "$1/disk/tmp"
mount --rbind /dev "$1/disk/dev"
mkdir -p "$1/disk/run/usb"
mount --bind "$2" "$1/disk/run/usb"
mount -o remount,bind,ro,noexec "$1/disk/run/usb"
ip link set lo up
shift 2
exec chroot "$disk" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
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
        disk = self.folder / "disk"
        entered = ("ip", "netns", "exec", self.line.name, "unshare", "--mount", "sh", "-c", ENTER, "enter")
        done = subprocess.run(
            [*entered, str(self.folder), str(self.stick), *command],
            env={**os.environ, "disk": str(disk), "layered": " ".join(LAYERED)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        shutil.rmtree(self.folder / "work")  # an overlay leaves a folder there that no other may use
        (self.folder / "work").mkdir()
        return done

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
