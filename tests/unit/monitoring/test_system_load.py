"""System load: read at once, in percent, each reader for itself."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from captchad.monitoring.system_load import MEASURABLE_CPU_SECONDS, SystemLoadReader


def burn_processor_time(reader: SystemLoadReader) -> None:
    """Work until the kernel's figures have moved far enough to measure."""
    before = reader._total_seconds
    while reader._total_seconds <= before + MEASURABLE_CPU_SECONDS:
        sum(range(10_000))
        reader.read()


def test_figures_are_percentages_of_the_folder_that_will_be(tmp_path: Path) -> None:
    reader = SystemLoadReader(tmp_path / "not" / "made" / "yet")
    burn_processor_time(reader)
    load = reader.read()
    assert load is not None
    assert 0 < load.cpu_percent <= 100
    assert 0 < load.memory_percent <= 100
    assert 0 <= load.disk_percent <= 100


def test_another_reader_does_not_disturb(tmp_path: Path) -> None:
    first, second = SystemLoadReader(tmp_path), SystemLoadReader(tmp_path)
    burn_processor_time(first)
    assert first._cpu_percent > 0
    assert second._cpu_percent == 0.0


@contextmanager
def no_free_descriptor() -> Iterator[None]:
    """Let no further file be opened inside."""
    lowest_free = os.dup(0)
    os.close(lowest_free)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_without_a_free_descriptor_the_load_is_unknown_and_known_again_afterwards(tmp_path: Path) -> None:
    reader = SystemLoadReader(tmp_path)
    with no_free_descriptor():
        assert reader.read() is None
    assert reader.read() is not None
