"""The functions behind docs/generate.py: each gives the text of one generated page."""
