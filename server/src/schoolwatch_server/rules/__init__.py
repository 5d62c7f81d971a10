"""Rules: data files that say when an incident opens and closes, and pure functions that follow them."""

from schoolwatch_server.rules.load import load
from schoolwatch_server.rules.rule import Condition, Rule

__all__ = ["Condition", "Rule", "load"]
