"""Distributed recognition of text captchas on sites you run or are authorised to test."""

__version__ = "0.1.0"
