"""Fixtures for tests of commands that speak HTTP."""

from tests.unit.client.conftest import stub

__all__ = ["stub"]
