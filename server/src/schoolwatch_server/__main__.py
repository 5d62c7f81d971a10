"""`python -m schoolwatch_server` is `schoolwatch-server`."""

import sys

from schoolwatch_server.cli import main

if __name__ == "__main__":
    sys.exit(main())
