"""Takes reports from the broker, decides what they are, commits them, and only then acknowledges."""
