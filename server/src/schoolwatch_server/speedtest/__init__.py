"""The province's own speed test: an NDT7 server, and leave to use it that is given one test at a time."""
