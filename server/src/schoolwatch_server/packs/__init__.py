"""Packs: the versioned, editable numbers that indicators are judged by."""

from schoolwatch_server.packs.load import load
from schoolwatch_server.packs.pack import Definition, Number, Pack, Packs, Windows

__all__ = ["Definition", "Number", "Pack", "Packs", "Windows", "load"]
