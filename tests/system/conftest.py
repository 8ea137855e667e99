"""`captchad up` for the tests of this folder."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.up_process import StartUp, UpProcess


@pytest.fixture
def start_up() -> Iterator[StartUp]:
    """Start `up` processes that end with the test."""
    with ExitStack() as stack:

        def start(state: Path, *arguments: str, **options: Any) -> UpProcess:
            process = UpProcess(state, *arguments, **options)
            stack.callback(process.end)
            return process

        yield start
