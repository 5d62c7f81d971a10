"""A passage from a school's network to the ports of its server, and to nowhere else: what `gateway` becomes.

It knows CONNECT alone (RFC 9110 §9.3.6) and carries bytes: TLS is between the computers and the server, so it
can neither read nor forge. Like the sleeper it runs without site-packages, holds no secret, and imports
nothing of size.
"""
