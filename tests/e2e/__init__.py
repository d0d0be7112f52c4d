"""End to end: the real programs, and nothing of ours in their place."""
