"""The real engine, loaded once for all tests of the room."""

import pytest

from captchad.recognition.ddddocr_engine import FirstEngine, load_first_engine


@pytest.fixture(scope="session")
def engine() -> FirstEngine:
    return load_first_engine()
