"""As a file, without site-packages: python -I -S __main__.py CONNECTIONS PER_CLIENT LISTEN,… HOST:PORT…"""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rsplit(os.sep, 3)[0])  # -I: nobody else's folder is looked at
    from schoolwatch_agent.passage import serve

    sys.exit(serve.main(sys.argv[1:]))
