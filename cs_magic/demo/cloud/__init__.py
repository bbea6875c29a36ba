"""What the demo's cloud answers to a command, and what it refuses. Knows no HTTP."""
