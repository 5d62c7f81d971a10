"""Packs: the versioned, editable numbers that indicators are judged by, plans, criteria and references."""

from schoolwatch_server.packs.load import examples, load
from schoolwatch_server.packs.pack import Definition, Number, Pack, Windows
from schoolwatch_server.packs.packs import Local, Packs
from schoolwatch_server.packs.plan import About, Item, Plan, Target, targets_of
from schoolwatch_server.packs.sheet import Held, Stored

__all__ = [
    "About",
    "Definition",
    "Held",
    "Item",
    "Local",
    "Number",
    "Pack",
    "Packs",
    "Plan",
    "Stored",
    "Target",
    "Windows",
    "examples",
    "load",
    "targets_of",
]
