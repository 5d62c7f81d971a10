"""The web server: JSON for programs, and the gate that every route stands behind."""
