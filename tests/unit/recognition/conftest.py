"""The real engine, loaded once for all tests of the room."""

import pytest

from captchad.recognition.ddddocr_engine import DdddocrEngine, load_ddddocr_engine


@pytest.fixture(scope="session")
def engine() -> DdddocrEngine:
    return load_ddddocr_engine()
