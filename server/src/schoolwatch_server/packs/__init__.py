"""Packs: the versioned, editable numbers that indicators are judged by."""

from schoolwatch_server.packs.load import load
from schoolwatch_server.packs.pack import Definition, Number, Pack, Packs, Windows
from schoolwatch_server.packs.plan import About, Item, Plan, Target

__all__ = ["About", "Definition", "Item", "Number", "Pack", "Packs", "Plan", "Target", "Windows", "load"]
