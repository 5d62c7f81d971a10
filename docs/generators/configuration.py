"""docs/configuration.md: every setting of agent and server, from the structs that read them."""

from pathlib import Path
from typing import Any

import msgspec

import schoolwatch_agent.config
import schoolwatch_server.config
from generators.markdown import code, fenced, table
from generators.markdown import page as whole


def page() -> str:
    """A table for each section, and the documented samples in full."""
    return whole(
        "Settings",
        "An unknown key is an error that names its path.\n"
        "The command `check-config` of agent and server says whether a file is right.\n"
        "No secret belongs in a settings file.",
        "## Agent: agent.toml",
        *_sections(schoolwatch_agent.config.AgentConfig),
        fenced(schoolwatch_agent.config.sample(), "toml"),
        "## Server: server.toml",
        *_sections(schoolwatch_server.config.ServerConfig),
        fenced(Path(schoolwatch_server.config.SAMPLE).read_text(encoding="utf-8"), "toml"),
    )


def _sections(config: type[msgspec.Struct]) -> list[str]:
    blocks: list[str] = []
    plain = []
    for field in msgspec.structs.fields(config):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            doc = (field.type.__doc__ or "").strip()
            blocks += [f"### [{field.name}]", doc, _table(field.type)]
        else:
            plain.append(field)
    return ([_rows(plain)] if plain else []) + blocks


def _table(section: type[msgspec.Struct]) -> str:
    return _rows(msgspec.structs.fields(section))


def _rows(fields: Any) -> str:
    return table(
        ("Key", "Default", "Allowed"),
        ((code(field.name), _default(field.default), _allowed(field.type)) for field in fields),
    )


def _default(value: object) -> str:
    if value is None:
        return "(not set)"
    return code(msgspec.json.encode(value).decode())  # text, numbers and booleans look alike in TOML


def _allowed(kind: Any) -> str:
    schema = msgspec.json.schema(kind)
    choices = schema.get("anyOf", [schema])
    return " or ".join(_one(choice) for choice in choices if choice != {"type": "null"})


_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} character",
    "maxItems": "at most {}",
    "pattern": "`{}`",
}


def _one(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(code(str(value)) for value in schema["enum"])
    kinds = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "array": "list",
    }
    words = [kinds[schema["type"]]]
    words += [text.format(_short(schema[key])) for key, text in _BOUNDS.items() if key in schema]
    return ", ".join(words)


def _short(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)
