"""A kit: a folder for a USB stick that installs the agent at a school without a network."""
