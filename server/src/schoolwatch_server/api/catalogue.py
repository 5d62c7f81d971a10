"""GET /api/v1/catalog: what data there is, as DCAT (JSON-LD) in the terms of DCAT-AP."""

from dataclasses import dataclass

import msgspec
from fastapi import Request
from starlette.responses import Response

from schoolwatch_server.api import ndjson
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.description import OPENAPI
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.texts import LANGUAGES

Json = dict[str, object]

PATH = "/api/v1/catalog"
MEDIA_TYPE = "application/ld+json"

_EU = "http://publications.europa.eu/resource/authority"
_MEDIA = "https://www.iana.org/assignments/media-types"
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
}
_FORMS = {
    "JSON": "application/json",
    "CSV": "text/csv",
    "NDJSON": ndjson.MEDIA_TYPE,
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Something that can be had, in which forms and where; its texts are `catalogue.<id>.…`."""

    id: str
    forms: tuple[tuple[str, str], ...]
    frequency: str


DATASETS = (
    Dataset(
        "indicators",
        (("CSV", "/api/v1/tables/indicators.csv"), ("JSON", "/api/v1/indicators")),
        "CONT",
    ),
    Dataset(
        "history",
        (("NDJSON", "/api/v1/indicators/history.ndjson"), ("JSON", "/api/v1/indicators/history")),
        "DAILY",
    ),
    Dataset("reports", (("NDJSON", "/api/v1/reports.ndjson"), ("JSON", "/api/v1/reports")), "IRREG"),
    *(Dataset(name, (("CSV", f"/api/v1/tables/{name}.csv"),), "CONT") for name in ("needs", "declared")),
)
"""What a department may publish. Tables of single computers are not here: they are no open data."""


def catalogue(request: Request, who: Who, server: Server) -> Response:
    """What may be asked for, in which forms, from whom and under which licence; unknown is left out."""
    with begin_read(server.engine) as conn:
        provinces = registry.provinces(conn, who.scope)
    at = server.address(request)
    body: Json = {
        "@context": _CONTEXT,
        "@id": at + PATH,
        "@type": "dcat:Catalog",
        "dct:title": _texts(server, "title"),
        "dct:description": _texts(server, "simulated" if server.simulated else "description"),
        **_common(server),
        "dct:language": [{"@id": f"{_EU}/language/{code}"} for code in ("VIE", "ENG")],
        "dct:spatial": [
            {"@type": "dct:Location", "dct:identifier": row.code, "dct:title": row.name} for row in provinces
        ],
        "dcat:service": _service(server, at),
        "dcat:dataset": [_dataset(server, at, each) for each in DATASETS],
    }
    return Response(msgspec.json.encode(body), media_type=MEDIA_TYPE)


def _common(server: Context) -> Json:
    """Publisher, licence and access: of the catalogue, of each dataset and of each of its forms."""
    told = server.config.open_data
    found: Json = {"dct:accessRights": {"@id": f"{_EU}/access-right/RESTRICTED"}}  # a token is needed
    publisher = told.publisher or server.config.privacy.controller
    if publisher:
        found["dct:publisher"] = {"@type": "foaf:Organization", "foaf:name": publisher} | (
            {"foaf:homepage": {"@id": told.homepage}} if told.homepage else {}
        )
    if told.licence:
        found["dct:license"] = {"@id": told.licence}
    else:
        found["dct:rights"] = _texts(server, "no_licence")
    return found


def _service(server: Context, at: str) -> Json:
    return {
        "@id": f"{at}/api/v1",
        "@type": "dcat:DataService",
        "dct:title": "SchoolWatch API",
        "dct:description": _texts(server, "service"),
        "dcat:endpointURL": {"@id": f"{at}/api/v1"},
        "dcat:endpointDescription": {"@id": at + OPENAPI},
        "foaf:page": {"@id": f"{at}/docs"},
        **_common(server),
    }


def _dataset(server: Context, at: str, of: Dataset) -> Json:
    return {
        "@id": f"{at}{PATH}#{of.id}",
        "@type": "dcat:Dataset",
        "dct:identifier": of.id,
        "dct:title": _texts(server, f"{of.id}.title"),
        "dct:description": _texts(server, f"{of.id}.what"),
        "dct:accrualPeriodicity": {"@id": f"{_EU}/frequency/{of.frequency}"},
        "dcat:theme": {"@id": f"{_EU}/data-theme/EDUC"},
        **_common(server),
        "dcat:distribution": [_distribution(server, at, form, path) for form, path in of.forms],
    }


def _distribution(server: Context, at: str, form: str, path: str) -> Json:
    return {
        "@type": "dcat:Distribution",
        "dct:title": form,
        "dcat:accessURL": {"@id": at + path},
        "dcat:accessService": {"@id": f"{at}/api/v1"},
        "dcat:mediaType": {"@id": f"{_MEDIA}/{_FORMS[form]}"},
        **_common(server),
    }


def _texts(server: Context, key: str) -> list[Json]:
    return [
        {"@language": language, "@value": server.texts.get(language, f"catalogue.{key}")}
        for language in LANGUAGES
    ]


ROUTES = (Route("GET", PATH, catalogue, "read", "What data there is, as a DCAT catalogue (JSON-LD)"),)
