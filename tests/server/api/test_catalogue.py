"""The catalogue of data: what DCAT asks of it, and that every address in it answers."""

import json
from collections.abc import Iterator

import msgspec

from schoolwatch_server.config import OpenData
from schoolwatch_server.scope import Scope
from shared import own_tree
from tree import Tree
from website import RunningSite

tree = own_tree


def nodes(value: object) -> Iterator[dict]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_every_dataset_has_what_dcat_ap_asks_for_and_every_address_in_it_answers(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        client = site.ask(Scope("province", tree.schools[0].province))
        answer = client.get("/api/v1/catalog")
        assert answer.headers["content-type"] == "application/ld+json"
        found = answer.json()
        prefixes = set(found["@context"])
        for node in nodes(found):
            for key in node:
                assert key.startswith("@") or key.split(":")[0] in prefixes, key
        assert found["@type"] == "dcat:Catalog"
        assert [place["dct:identifier"] for place in found["dct:spatial"]] == ["MarkP0X"], (
            "its own part alone"
        )
        assert {each["dct:identifier"] for each in found["dcat:dataset"]} >= {
            "indicators",
            "history",
            "reports",
        }
        for node in (found, *found["dcat:dataset"]):
            for text in ("dct:title", "dct:description"):
                assert {each["@language"] for each in node[text]} == {"vi", "en"}
        for dataset in found["dcat:dataset"]:
            for form in dataset["dcat:distribution"]:
                address = form["dcat:accessURL"]["@id"].removeprefix(site.url)
                query = f"?school={tree.schools[0].code}" if address == "/api/v1/indicators" else ""
                told = client.get(address + query)
                assert told.status_code == 200, address
                assert told.headers["content-type"].split(";")[0] in form["dcat:mediaType"]["@id"], address


def test_licence_and_publisher_are_unknown_until_somebody_typed_them(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        text = site.ask().get("/api/v1/catalog").text
    assert "dct:license" not in text
    assert "dct:publisher" not in text
    assert "chưa nêu giấy phép" in text
    told = OpenData("Sở GDĐT X", "https://so.example/", "https://creativecommons.org/licenses/by/4.0/")
    with RunningSite(msgspec.structs.replace(tree.config, open_data=told)) as site:
        found = json.loads(site.ask().get("/api/v1/catalog").text)
    for node in (found, *found["dcat:dataset"], found["dcat:dataset"][0]["dcat:distribution"][0]):
        assert node["dct:publisher"]["foaf:name"] == "Sở GDĐT X"
        assert node["dct:license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
        assert "dct:rights" not in node
