"""What the gateway decides about a task before it is stored: scope, rate limit, partition, estimate."""
