"""A certificate authority of the server's own, for a department that has none."""
