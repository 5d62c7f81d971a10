"""What goes wrong between us and the provider; the text is for the log, and holds nothing secret."""


class ProviderError(Exception):
    """The provider is not reached, is slow, or answers what can't be used: a password still logs in."""


class ProofError(Exception):
    """What came back proves nothing: it was refused, altered, is old, or is meant for somebody else."""


class UnknownKeyError(ProofError):
    """Signed with a key that we do not know: the provider has perhaps changed its keys."""
