"""How often Python looks for cycles in memory in processes that make many small objects without any."""

import gc

_NEW = 100_000
"""New objects before it looks: a batch of reports makes 20,000, the indicators of a province 60,000."""


def seldom() -> None:
    """From now on; called when all is loaded, which is then never looked through again.

    Looking took a quarter of the time of a batch of reports, and a tenth of that of all indicators.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, 10, 10)
