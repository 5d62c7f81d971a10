"""The commands of `schoolwatch-server` that do one thing and end, and what stands behind some of them."""
