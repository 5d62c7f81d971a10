"""Criteria of the packs as questions that schools are asked. Pure."""

from schoolwatch_server.claims.questions import Criterion, Question, with_criteria
from schoolwatch_server.packs.packs import Packs


def questions(packs: Packs) -> dict[str, Question]:
    """What schools are asked, with the criteria that the Sở typed in; by id, in the order of pages."""
    return with_criteria(
        Criterion(
            of.id,
            one.code,
            one.vi,
            one.en or one.vi,
            of.document,
            one.confidence,
            of.applies_to,
            one.mandatory,
        )
        for of in packs.criteria
        for one in of.criteria
    )
