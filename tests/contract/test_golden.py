"""Today's code reads the golden files and writes the same; how to update them is said in golden.py."""

import hashlib

from tests.contract.golden import ACK, ENVELOPE, FOLDER, HEADER, KEY, SETTINGS, make

from schoolwatch_contract import ack, envelope, frame, settings
from schoolwatch_contract.dictionary import DICTIONARY_1
from schoolwatch_contract.frame import Frame
from schoolwatch_contract.records import SCHEMA


def golden(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def test_every_golden_file_is_tested() -> None:
    assert {path.name for path in FOLDER.iterdir()} == make().keys()


def test_each_schema_that_is_understood_has_a_reader_and_a_recorded_frame() -> None:
    assert envelope.UNDERSTOOD[-1] == SCHEMA
    assert len(envelope.UNDERSTOOD) == min(SCHEMA, 3)
    for schema in envelope.UNDERSTOOD:
        assert schema in envelope._READERS
        frame.verify(golden(f"frame-{schema}.bin"), KEY)
        assert envelope.decode(frame.parse(golden(f"frame-{schema}.bin")).body).schema == schema


def test_the_envelope_is_written_as_ever() -> None:
    assert envelope.to_json(ENVELOPE) == golden("envelope-1.json")


def test_the_body_is_read_as_ever() -> None:
    assert envelope.decode(golden("body-1.bin")) == ENVELOPE


def test_the_body_is_written_as_ever() -> None:
    """The inflated bytes are compared: zlib builds (zlib-ng, other versions) may deflate differently,
    and any of their streams is right as long as it inflates to this."""
    assert envelope.inflate(golden("body-1.bin")) == golden("envelope-1.json")
    assert envelope.inflate(envelope.encode(ENVELOPE)) == golden("envelope-1.json")


def test_the_frame_is_read_as_ever() -> None:
    frame.verify(golden("frame-1.bin"), KEY)
    assert frame.parse(golden("frame-1.bin")) == Frame(HEADER, golden("body-1.bin"))


def test_the_frame_is_written_as_ever() -> None:
    assert frame.seal(HEADER, golden("body-1.bin"), KEY) == golden("frame-1.bin")


def test_the_acknowledgement_is_read_and_written_as_ever() -> None:
    assert ack.decode(golden("ack-1.json")) == ACK
    assert ack.encode(ACK) == golden("ack-1.json")


def test_settings_are_read_and_written_as_ever() -> None:
    assert settings.decode(golden("settings-1.json")) == SETTINGS
    assert settings.encode(SETTINGS) == golden("settings-1.json")


def test_dictionary_1_never_changes() -> None:
    """Bodies in journals and spools were deflated with it; a better dictionary is number 2 beside it."""
    assert hashlib.sha256(DICTIONARY_1).hexdigest() == (
        "7a1393dd5c186798cdea7d8e86375eef23491af1721de188fb139b91236381b2"
    )
