"""The commands of `schoolwatch-server` that do one thing and end, a module for each word."""
