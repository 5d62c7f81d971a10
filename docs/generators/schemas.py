"""docs/schema/*.json: JSON Schema (draft 2020-12) of what the wire carries and of one form, by types."""

import json
from typing import Any

import msgspec

from schoolwatch_contract.ack import Ack
from schoolwatch_contract.records import SCHEMA, Envelope
from schoolwatch_contract.settings import Settings
from schoolwatch_server.serious.form import FORMAT, Form

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def envelope() -> str:
    """The inflated body of a frame."""
    return _document(Envelope, f"urn:schoolwatch:envelope:{SCHEMA}")


def ack() -> str:
    """The server's acknowledgement."""
    return _document(Ack, "urn:schoolwatch:ack:1")


def settings() -> str:
    """What the server tells a device to aim at."""
    return _document(Settings, "urn:schoolwatch:settings:1")


def incident_form() -> str:
    """The report form of a serious incident, as it is kept."""
    return _document(Form, f"urn:schoolwatch:incident-form:{FORMAT}")


def tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with docstrings as one paragraph of text."""
    return {key: _tidy_value(key, value) for key, value in schema.items()}


def _tidy_value(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return tidy(value)
    return " ".join(value.split()) if key == "description" and isinstance(value, str) else value


def _document(kind: type, identity: str) -> str:
    schema: dict[str, Any] = {"$schema": DRAFT, "$id": identity, **tidy(msgspec.json.schema(kind))}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
