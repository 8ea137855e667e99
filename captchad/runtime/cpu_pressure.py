"""The kernel's measure of how short of processors this machine is (pressure stall information)."""

from pathlib import Path

_PRESSURE_FILE = Path("/proc/pressure/cpu")
_MICROSECONDS_PER_SECOND = 1_000_000
_TOTAL = "total="


def read_stalled_seconds() -> float:
    """Return for how long, since the start, some program was ready to run without a processor; 0 where unknown."""
    try:
        # The first line is "some": the time in which at least one program waited.
        words = _PRESSURE_FILE.read_text(encoding="ascii").partition("\n")[0].split()
    except OSError:
        return 0.0
    return sum(int(word.removeprefix(_TOTAL)) / _MICROSECONDS_PER_SECOND for word in words if word.startswith(_TOTAL))
