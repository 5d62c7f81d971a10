"""What can go wrong at a door of the machine, each with its evidence."""

EVIDENCE = 80
"""Characters of a program's answer that an error quotes."""


class Missing(Exception):  # noqa: N818  it is what happened, as a technician would say it
    """The program is not on this machine."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed")
        self.program = program


class CommandFailed(Exception):  # noqa: N818
    """A program ended with another code than 0."""

    def __init__(self, argv: tuple[str, ...], code: int, evidence: str) -> None:
        super().__init__(f"{' '.join(argv)[:EVIDENCE]} ended with {code}: {one_line(evidence)}")
        self.argv = argv
        self.code = code
        self.evidence = evidence


class TimedOut(Exception):  # noqa: N818
    """A door did not answer in its time."""

    def __init__(self, what: str, timeout: float) -> None:
        super().__init__(f"{what[:EVIDENCE]} gave no answer within {timeout:g} s")
        self.what = what
        self.timeout = timeout


class OutOfTime(TimedOut):
    """The time of the whole probe was over."""

    def __init__(self, what: str) -> None:
        Exception.__init__(self, f"{what} had no more time")
        self.what = what
        self.timeout = 0.0


class Hidden(PermissionError):  # noqa: N818
    """A path that the agent's service is not shown, whoever may read it (`sight`)."""

    WHY = "hidden from the agent's service"


class NotUnderstood(ValueError):  # noqa: N818
    """A text is not what its format says; the error quotes its beginning."""

    def __init__(self, what: str, text: object) -> None:
        super().__init__(f"{what}: {one_line(str(text)[:400])!r}")


def why(error: OSError) -> str:
    """In the words of a fact's reason, why a path may not be read."""
    if isinstance(error, PermissionError):
        return Hidden.WHY if isinstance(error, Hidden) else "not permitted"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return "a part of the path is no folder" if isinstance(error, NotADirectoryError) else "cannot be read"


def one_line(text: str) -> str:
    """The first characters of a text, with white space folded."""
    return " ".join(text[: EVIDENCE * 5].split())[:EVIDENCE]
