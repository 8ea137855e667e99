"""Real clients of other services against a real fleet."""
