"""How busy this host is, read without waiting."""

from pathlib import Path

import psutil

from captchad.domain.node import SystemLoad

MEASURABLE_CPU_SECONDS = 0.05
_IDLE_FIELDS = ("idle", "iowait")
_COUNTED_ELSEWHERE = ("guest", "guest_nice")


class SystemLoadReader:
    """Reads the host's processor, memory and the disk under the state folder.

    Processor use is what was used since the last reading of this reader; readings closer together than the
    kernel can tell apart repeat the last figure.
    """

    def __init__(self, state_directory: Path) -> None:
        self._disk_path = _nearest_existing(state_directory)
        self._busy_seconds, self._total_seconds = _read_cpu_seconds()
        self._cpu_percent = 0.0

    def read(self) -> SystemLoad | None:
        """Return the load of now, in percent; None where it can't be read, as without a free file descriptor."""
        try:
            return SystemLoad(
                cpu_percent=self._read_cpu_percent(),
                memory_percent=psutil.virtual_memory().percent,
                disk_percent=psutil.disk_usage(str(self._disk_path)).percent,
            )
        except OSError:
            return None

    def _read_cpu_percent(self) -> float:
        busy, total = _read_cpu_seconds()
        elapsed = total - self._total_seconds
        if elapsed >= MEASURABLE_CPU_SECONDS:
            share = (busy - self._busy_seconds) / elapsed
            # Linux lets iowait go backwards now and then, so the share may leave its bounds by a hair.
            self._cpu_percent = round(100 * min(1.0, max(0.0, share)), 1)
            self._busy_seconds, self._total_seconds = busy, total
        return self._cpu_percent


def _read_cpu_seconds() -> tuple[float, float]:
    times = psutil.cpu_times()._asdict()
    total = sum(seconds for name, seconds in times.items() if name not in _COUNTED_ELSEWHERE)
    idle = sum(times.get(name, 0.0) for name in _IDLE_FIELDS)
    return total - idle, total


def _nearest_existing(path: Path) -> Path:
    return next(candidate for candidate in (path, *path.absolute().parents) if candidate.exists())
