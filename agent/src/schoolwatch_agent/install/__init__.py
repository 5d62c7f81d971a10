"""Puts the agent into its place on a machine, so that it runs by itself, and takes it away again."""
