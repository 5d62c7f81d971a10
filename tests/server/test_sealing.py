"""Secrets at rest: they open with their key, as what they were sealed for, and as nothing else."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import sealing
from schoolwatch_server.sealing import AlteredError, KeyUnknownError, KeyUnusableError

OLD, NEW = "1" * 64, "2" * 64
RING = sealing.parse(OLD, Path("master"))

plains = st.binary(max_size=200)
purposes = st.text(max_size=40)


@given(purposes, plains)
def test_what_is_sealed_opens_as_it_was(purpose: str, plain: bytes) -> None:
    sealed = RING.seal(purpose, plain)
    assert RING.unseal(purpose, sealed) == plain
    assert len(sealed) == len(plain) + sealing.OVERHEAD
    assert RING.seal(purpose, plain) != sealed, "a nonce was used twice"


@given(purposes, plains, st.data())
def test_any_changed_byte_is_found(purpose: str, plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(purpose, plain))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(sealing.SealError):
        RING.unseal(purpose, bytes(sealed))


@given(purposes, plains, st.data())
def test_a_cut_text_is_found(purpose: str, plain: bytes, data: st.DataObject) -> None:
    sealed = RING.seal(purpose, plain)
    with pytest.raises(AlteredError):
        RING.unseal(purpose, sealed[: data.draw(st.integers(0, len(sealed) - 1))])


@given(purposes, purposes, plains)
def test_a_secret_opens_only_for_its_purpose(one: str, other: str, plain: bytes) -> None:
    if one == other:
        return
    with pytest.raises(AlteredError):
        RING.unseal(other, RING.seal(one, plain))


@given(st.binary(max_size=100))
def test_what_was_never_sealed_is_refused_in_words(junk: bytes) -> None:
    with pytest.raises(sealing.SealError, match="frame key 7: "):
        RING.unseal("frame key 7", junk)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    both = sealing.parse(f"{NEW}\n{OLD}\n", Path("master"))
    old = RING.seal("x", b"secret")
    assert both.unseal("x", old) == b"secret"
    assert not both.is_current(old)
    assert both.is_current(both.seal("x", b"secret"))
    with pytest.raises(KeyUnknownError, match="put that key's line back"):
        RING.unseal("x", both.seal("x", b"secret"))


def test_the_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda n: sealing.seal(tmp_path, "x", b"%d" % n), range(24)))
    assert [sealing.unseal(tmp_path, "x", each) for each in sealed] == [b"%d" % n for n in range(24)]
    key = tmp_path / "secrets" / "master"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [path.name for path in key.parent.iterdir()] == ["master"]


def test_systemds_credential_goes_before_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "key"
    named.write_text(OLD)
    named.chmod(0o600)
    assert sealing.unseal(named, "x", RING.seal("x", b"secret")) == b"secret"
    given_ = tmp_path / "credentials"
    given_.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given_))
    assert sealing.key_path(named) == named
    (given_ / "master_key").write_text(NEW)
    (given_ / "master_key").chmod(0o440)
    with pytest.raises(KeyUnknownError):
        sealing.unseal(named, "x", RING.seal("x", b"secret"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no master key"),
        ("\n \n", "holds no master key"),
        (OLD[:-1], "line 1"),
        (f"{OLD}\n{NEW}0\n", "line 2"),
        (OLD[:-1] + "g", "line 1"),
        (OLD[:-1] + "\u0661", "line 1"),  # a digit of another script
    ],
)
def test_an_unusable_file_is_named_and_not_quoted(text: str, says: str) -> None:
    with pytest.raises(KeyUnusableError, match=says) as refused:
        sealing.parse(text, Path("/k/master"))
    assert "/k/master" in str(refused.value)
    assert "1" * 20 not in str(refused.value)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    sealing.seal(tmp_path, "x", b"")
    (tmp_path / "secrets" / "master").chmod(0o644)
    with pytest.raises(KeyUnusableError, match="chmod 600"):
        sealing.seal(tmp_path, "x", b"")


def test_no_key_is_in_what_a_keyring_says_of_itself() -> None:
    assert OLD not in repr(RING)
    assert repr(bytes.fromhex(OLD)) not in repr(RING)
