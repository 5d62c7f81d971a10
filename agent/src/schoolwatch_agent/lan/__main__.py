"""As a file, without site-packages: python -I -S __main__.py FOLDER SECONDS NIC=DESCRIPTOR…"""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rsplit(os.sep, 3)[0])  # -I: nobody else's folder is looked at
    from schoolwatch_agent.lan import watch

    sys.exit(watch.main(sys.argv[1:]))
