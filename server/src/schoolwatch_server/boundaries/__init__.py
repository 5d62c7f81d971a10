"""Boundaries of communes that a department hands in: read, matched, simplified and drawn. Pure."""
