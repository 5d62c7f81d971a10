"""`python -m schoolwatch_agent` is the command schoolwatch-agent."""

from schoolwatch_agent.entry import run

if __name__ == "__main__":
    run()
