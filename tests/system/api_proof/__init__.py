"""The gateway under requests drawn at random: by its own OpenAPI document, and as raw bytes."""
