"""What restic and ssh say, in our words: recorded from restic 0.14 and OpenSSH 9.2."""

import pytest

from schoolwatch_server.backup import restic, target

FOLDER = target.parse("/copies")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Fatal: wrong password or no key found", "passphrase_wrong"),
        (
            "Fatal: unable to open config file: stat /c/config\nIs there a repository at",
            "no_repository",
        ),
        ("Fatal: repository does not exist: unable to open config file: stat /c/config", "no_repository"),
        (
            "subprocess ssh: ssh: connect to host 127.0.0.1 port 1: Connection refused\nFatal: unable",
            "unreachable",
        ),
        (
            "subprocess ssh: Host key verification failed.\nFatal: unable to start the sftp session",
            "host_key",
        ),
        (
            "subprocess ssh: a@b: Permission denied (publickey).\nFatal: unable to start the sftp session",
            "login",
        ),
        ("Fatal: unable to save snapshot: write /c/data/x-tmp-1: no space left on device", "disk_full"),
        ("Fatal: mkdir /c/keys: permission denied", "unwritable"),
        ("repository is already locked by PID 12 on vm by root (UID 0, GID 0)", "locked"),
        ("Fatal: load <index/6387b90ccc>: invalid data returned", "damaged"),
        ("cannot dump file: ReadFull(<data/ad8194261f>): EOF", "damaged"),
        ('loading tree for snapshot "latest" failed: id a23f not found in repository', "damaged"),
        ("could not load snapshot 752ed6a2: load <snapshot/752ed6a207>: invalid data returned", "damaged"),
        ("panic: runtime error: invalid memory address or nil pointer dereference", "crashed"),
        ("Fatal: something new", "other"),
        ("", "other"),
    ],
)
def test_an_error_is_told_from_what_was_said(said: str, expected: str) -> None:
    error = restic.meaning(FOLDER, said)
    assert error.trouble == expected
    assert error.values["target"] == "/copies"
