"""Malware statistics as XML, after the fields that a second source gives of CV 8676/A05-TT4, Phụ lục 2. Pure.

The original letter was not seen [V-2nd, weak]: names of elements are those of `docs/schema/av-report.xsd`,
this project's reading of them. The file is unsigned, without the SOAP envelope, and is sent nowhere. Of what
that letter asks, agents know neither addresses nor files: those elements are left out, never made up.
Computers stand by the first characters of their identity, as their names may be a person's.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from xml.etree import ElementTree as ET  # nosec B405  it writes and parses nothing

from schoolwatch_server.serious import redact
from schoolwatch_server.serious.malware import Detection

_XML_TEXT_MAX = 200


def render(
    found: Iterable[Detection],
    organisation: str,
    since: datetime,
    until: datetime,
    made_at: datetime,
    *,
    mark: str = "",
) -> bytes:
    """The file for a period (`until` excluded), by computer; the same detections give the same bytes.

    `mark` says of simulated data that they are, as a comment: the letter has no element for that.
    """
    root = ET.Element("AVReport", {"Signed": "false", "Source": "CV 8676/A05-TT4 (V-2nd)"})
    if mark:
        root.append(ET.Comment(f" {mark} "))
    _add(root, "OrganId", organisation)
    _add(root, "Datetime", _time(made_at))
    _add(root, "From", _time(since))
    _add(root, "To", _time(until))
    ordered = sorted(set(found), key=lambda one: (one.device, one.at, one.threat, one.product))
    for device, group in groupby(ordered, key=lambda one: one.device):
        malware = ET.SubElement(root, "Malware")
        ET.SubElement(malware, "Machine", {"name": device[:8]})
        for one in group:
            info = ET.SubElement(malware, "MalwareInfo")
            values: Mapping[str, str] = {
                "MalwareName": redact.text(one.threat),
                "Program": one.product,
                "Datetime": one.at,
            }
            for name, value in values.items():
                _add(info, name, value)
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _add(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, name).text = "".join(c for c in value if c.isprintable())[:_XML_TEXT_MAX]


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
