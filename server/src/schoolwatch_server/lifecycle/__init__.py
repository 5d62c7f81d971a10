"""Until when makers support their operating systems: dates with their sources, editable like packs."""

from schoolwatch_server.lifecycle.load import load
from schoolwatch_server.lifecycle.table import Extended, System, Systems, find, is_supported

__all__ = ["Extended", "System", "Systems", "find", "is_supported", "load"]
