"""The JSON Schemas and the AsyncAPI document say what the code does."""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from hypothesis import given
from tests.contract.golden import FOLDER, KEY
from tests.contract.strategies import envelopes

from schoolwatch_contract import envelope, frame, topics
from schoolwatch_contract.records import Envelope

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OFFICIAL = ROOT / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / "schema" / name).read_text())
    return loaded


def asyncapi() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
    return loaded


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("envelope.json", "envelope-1.json"),
        ("ack.json", "ack-1.json"),
        ("settings.json", "settings-1.json"),
    ],
)
def test_the_golden_files_are_valid(name: str, golden: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    validator = jsonschema.Draft202012Validator(schema(name))
    assert list(validator.iter_errors(json.loads((FOLDER / golden).read_bytes()))) == []


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"taken_at": 0},
        {"taken_at": 4_102_444_800},
        {"agent": None},
        {"readings": [["nodot", 1]]},
        {"readings": [["a.b", "1"]]},
        {"readings": [["a.b"]]},
        {"readings": [["a.b", 1, {"K": "v"}]]},
        {"readings": [["a.b", 1, {"k": "v" * 129}]]},
        {"facts": [["a.b", "x\0"]]},
        {"sightings": [["a.b", "s", {}, 0]]},
    ],
)
def test_what_the_schema_refuses_the_code_refuses_too(change: dict[str, object]) -> None:
    document = {**json.loads((FOLDER / "envelope-1.json").read_bytes()), **change}
    assert not jsonschema.Draft202012Validator(schema("envelope.json")).is_valid(document)
    with pytest.raises(envelope.ContractError):
        envelope.from_json(json.dumps(document).encode())


@given(envelopes)
def test_what_the_code_sends_is_valid(sent: Envelope) -> None:
    validator = jsonschema.Draft202012Validator(schema("envelope.json"))
    assert validator.is_valid(json.loads(envelope.to_json(sent)))


def test_every_topic_is_a_channel_and_every_channel_a_topic() -> None:
    channels = asyncapi()["channels"]
    device = "0" * 32
    addresses = {channel["address"].format(device=device) for channel in channels.values()}
    assert addresses == {topics.topic(device, leaf) for leaf in get_args(topics.Leaf)}


def test_the_layout_in_the_document_finds_the_fields_of_the_golden_frame() -> None:
    message = asyncapi()["components"]["messages"]["frame"]
    golden = base64.b64decode(message["examples"][0]["payload"])
    frame.verify(golden, KEY)
    header = frame.parse(golden).header
    found = {
        field["name"]: golden[field["offset"] : field["offset"] + field["bytes"]]
        for field in message["payload"]["x-layout"]
        if isinstance(field["bytes"], int) and field["offset"] >= 0
    }
    assert found["device"].hex() == header.device
    assert found["spool"].hex() == header.spool
    assert int.from_bytes(found["seq"], "big") == header.seq
    assert int.from_bytes(found["sent_at"], "big") / 1000 == header.sent_at


def test_every_reference_in_the_document_resolves() -> None:
    document = asyncapi()
    references = re.findall(r"\$ref: '#/([^']+)'", (DOCS / "asyncapi.yaml").read_text())
    assert len(references) >= 6
    for reference in references:
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


def test_the_examples_of_the_document_are_valid() -> None:
    components = asyncapi()["components"]
    example = components["messages"]["ack"]["examples"][0]["payload"]
    assert jsonschema.Draft7Validator(components["schemas"]["Ack"]).is_valid(example)


def test_the_document_is_asyncapi_3() -> None:
    """Against the official schema, which `./schoolwatch test` gets from npm."""
    if not OFFICIAL.exists():
        missing = "not run: needs the npm package @asyncapi/specs 6.11.1 in node_modules"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    official = json.loads(OFFICIAL.read_bytes())
    errors = [error.message for error in jsonschema.Draft7Validator(official).iter_errors(asyncapi())]
    assert errors == []
