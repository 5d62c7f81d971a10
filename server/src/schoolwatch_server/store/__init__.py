"""Time series: what devices measured, and what the server judged; behind one small interface."""

from schoolwatch_server.store.series import Judged, Point, Resolution, Series, Store

__all__ = ["Judged", "Point", "Resolution", "Series", "Store"]
