"""Password hashes: ours is mosquitto's, and nothing else is ever taken for one."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers import RunningBroker
from mqtt import Client
from schoolwatch_server.broker.access import acl, may, parse_password_file, password_file
from schoolwatch_server.broker.passwords import hash_password, new_password, verify


def test_a_hash_verifies_its_password_only() -> None:
    password = new_password()
    hashed = hash_password(password)
    assert verify(password, hashed)
    assert not verify(password + "x", hashed)
    assert hash_password(password) != hashed
    assert password not in hashed


def test_mosquittos_own_tool_writes_what_we_verify(peer: object, tmp_path: Path) -> None:
    tool = peer("mosquitto_passwd")  # type: ignore[operator]
    file = tmp_path / "passwords"
    subprocess.run(
        [tool, "-b", "-c", str(file), "somebody", "correct horse"], check=True, capture_output=True
    )
    users = parse_password_file(file.read_text())
    assert verify("correct horse", users["somebody"])
    assert not verify("correct hors", users["somebody"])


def test_mosquitto_verifies_what_we_write(mosquitto: RunningBroker) -> None:
    password = mosquitto.add("a" * 32)
    with Client(mosquitto, "a" * 32, password) as client:
        assert client.code == "Success"


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_other_text_is_a_hash(text: str) -> None:
    assert not verify("x", text)
    assert not verify("x", f"$7$101${text}$")


@pytest.mark.parametrize("rounds", ["0", "-1", "99999999999", "1e3", "٣", ""])
def test_a_hash_with_absurd_rounds_is_refused_at_once(rounds: str) -> None:
    assert not verify("x", f"$7${rounds}$AAAAAAAAAAAAAAAA$AAAA")


@pytest.mark.parametrize("name", ["", "a:b", "a\nuser x", "a" * 65, "ñ", "#a", "a b"])
def test_a_name_that_could_change_the_files_meaning_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="can't be a broker user"):
        password_file({name: "$7$1$a$b"})


def test_the_access_file_and_the_function_agree() -> None:
    a, b = "a" * 32, "b" * 32
    assert "pattern write schoolwatch/1/%u/report\n" in acl("server")
    assert may(a, "write", f"schoolwatch/1/{a}/report", "server")
    assert not may(b, "write", f"schoolwatch/1/{a}/report", "server")
    assert not may(a, "write", f"schoolwatch/1/{a}/ack", "server")
    assert may("server", "write", f"schoolwatch/1/{a}/ack", "server")
    assert not may("server", "write", f"schoolwatch/1/{a}/report", "server")
    assert not may(a, "read", "schoolwatch/1/#", "server")
