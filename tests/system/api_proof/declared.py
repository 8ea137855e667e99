"""What the gateway is configured with and its tasks end with, known to those who draw requests too."""

DECLARED_HOST = "captcha.example.com"
OPERATED_HOST = "operated.example.com"
"""Narrowed and paused at will."""
RECEIVING_HOST = "hooks.example.com"
ANSWER_TEXT = "7K"
