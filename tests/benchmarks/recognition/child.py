"""One engine in a process of its own: reads all pictures on one core, and says what that took.

Started by bench_recognition with the engine's name, the pictures' file and the file for the result. OMP_NUM_THREADS is
1 by then; here the process binds itself to one core, so that a runtime which counts cores for itself finds one as well.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import Hints
from tests.benchmarks.recognition.labelled import LabelledPicture, fetch_pictures

WARM_UP_PICTURES = 5
NO_HINTS = Hints()
_MIB = 1024


def read_memory_mib(line_name: str) -> float:
    """Return a line of this process's status: VmRSS is what it holds now, VmHWM the most it ever held."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{line_name}:"):
            return int(line.split()[1]) / _MIB
    raise KeyError(line_name)


def cpu_seconds() -> float:
    """Return the processor time of this process and of the children it has waited for."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def bind_to_one_core() -> None:
    """Let the scheduler use one core; which of them is as good as another."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def measure(name: str, pictures: Sequence[LabelledPicture], model: Path | None) -> dict[str, Any]:
    """Load the engine and read all pictures, once without hints and once with those that there are."""
    PIL.Image.new("L", (1, 1))
    before_mib, started, cpu_before = read_memory_mib("VmRSS"), time.monotonic(), cpu_seconds()
    from tests.benchmarks.recognition.contenders import CONTENDERS  # noqa: PLC0415 - belongs to what is measured

    contender = CONTENDERS[name]
    read = contender.load(model)
    load_seconds, load_cpu_seconds = time.monotonic() - started, cpu_seconds() - cpu_before
    for picture in pictures[:WARM_UP_PICTURES]:
        read(picture.pixels, NO_HINTS)
    plain, cpu_ms = [], []
    for picture in pictures:
        cpu_before = cpu_seconds()
        plain.append(read(picture.pixels, NO_HINTS))
        cpu_ms.append(1000 * (cpu_seconds() - cpu_before))
        _report_one_done()
    peak_mib = read_memory_mib("VmHWM")
    hinted = []
    for picture in pictures if contender.takes_hints else ():
        hinted.append(read(picture.pixels, picture.hints))
        _report_one_done()
    return {
        "load_seconds": load_seconds,
        "load_cpu_seconds": load_cpu_seconds,
        "cpu_ms": cpu_ms,
        "peak_mib": peak_mib,
        "peak_mib_over_bare_python": peak_mib - before_mib,
        "peak_mib_of_children": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _MIB,
        "plain": plain,
        "hinted": hinted if contender.takes_hints else None,
    }


def _report_one_done() -> None:
    sys.stdout.write(".")
    sys.stdout.flush()


def main(name: str, pictures: Path, result: Path, model: Path | None = None) -> None:
    """Write what was measured, or why the engine is not there."""
    bind_to_one_core()
    np.zeros(1)
    try:
        found: dict[str, Any] = measure(name, fetch_pictures(pictures), model)
    except DependencyMissing as error:
        found = {"left_out": error.message}
    result.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
