"""The SchoolWatch server: takes in what agents measured, judges it, shows it and exports it."""

__version__ = "0.1.0"
