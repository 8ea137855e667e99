"""System load: read at once, in percent, each reader for itself."""

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
    assert 0 < load.cpu_percent <= 100
    assert 0 < load.memory_percent <= 100
    assert 0 <= load.disk_percent <= 100


def test_another_reader_does_not_disturb(tmp_path: Path) -> None:
    first, second = SystemLoadReader(tmp_path), SystemLoadReader(tmp_path)
    burn_processor_time(first)
    assert first._cpu_percent > 0
    assert second._cpu_percent == 0.0
