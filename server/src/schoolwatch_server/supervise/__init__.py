"""`schoolwatch-server up`: starts the parts as child processes, watches them and stops them."""
