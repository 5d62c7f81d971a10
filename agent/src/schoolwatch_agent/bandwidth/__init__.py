"""The speed test of the school's line: when, within which budget, and the test itself in a child process."""
