"""What travels between a SchoolWatch agent and the server, and nothing else."""

__version__ = "0.1.0"
