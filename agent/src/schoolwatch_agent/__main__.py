"""`python -m schoolwatch_agent` is the command schoolwatch-agent."""

import sys

from schoolwatch_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
