"""The watch of a school's own network on its gateway: what `watch` becomes.

It listens to ARP, DHCP and neighbour discovery, sends nothing, and writes what it heard into one file, which
the agent's probe `sensors` reads. Like the passage it runs without site-packages and imports nothing of size;
it holds no secret, and once it listens no right to open anything more.
"""
