"""What every request passes before its handler: who calls, from where, and how often."""
