"""The SchoolWatch agent: measures a school's computer and delivers what it measured."""

__version__ = "0.1.0"
