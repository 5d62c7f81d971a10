"""JSON: the kept bytes as they are, so that anybody can compute the digest of the file itself."""

from schoolwatch_server.reports.files.paper import FileFormat, Paper


def render(paper: Paper) -> bytes:
    """The whole file."""
    return paper.body


JSON = FileFormat("json", "application/json", render)
