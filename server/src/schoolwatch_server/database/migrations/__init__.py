"""The steps that bring an older database to the shape of `tables.py`; the newest number is the version."""
