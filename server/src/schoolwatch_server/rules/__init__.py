"""Rules: data files that say when an incident opens and closes, and pure functions that follow them."""

from schoolwatch_server.rules.book import Book, put_together
from schoolwatch_server.rules.held import Held, Stored
from schoolwatch_server.rules.load import load, of_files
from schoolwatch_server.rules.rule import Condition, Rule

__all__ = ["Book", "Condition", "Held", "Rule", "Stored", "load", "of_files", "put_together"]
