"""Decodes each hostile picture in a process of its own, its memory bounded, and prints its cost as a line of JSON.

Beside it stands what an honest picture of the same moment costs, since beside other programs both cost more.
"""

import json
import os
import resource
import time
from pathlib import Path

from PIL import Image

from captchad.domain.errors import PictureRefused
from captchad.recognition.decoding import decode_views
from tests.unit.recognition.hostile_pictures import HOSTILE
from tests.unit.recognition.pictures import draw, encode, noisy

MEMORY_LIMIT_BYTES = 512 * 1024 * 1024
REFUSED, DECODED, STARVED = "refused", "decoded", "starved"


def main() -> None:
    for picture_format in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
        decode_views(encode(draw(), picture_format))
    honest = encode(noisy(250, 250).resize((2000, 2000), Image.Resampling.NEAREST))
    for name, make in HOSTILE.items():
        data = make()
        child = os.fork()
        if child == 0:
            print(json.dumps({"name": name, "bytes": len(data)} | measure(data, honest)), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            print(json.dumps({"name": name, "outcome": f"ended with status {status}"}), flush=True)


def measure(data: bytes, honest: bytes) -> dict[str, object]:
    before_seconds = measure_honest_seconds(honest)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit_bytes = pages * resource.getpagesize() + MEMORY_LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    began_seconds = time.process_time()
    try:
        decode_views(data)
        outcome, message = DECODED, ""
    except PictureRefused as error:
        is_starved = isinstance(error.__context__, MemoryError)
        outcome, message = STARVED if is_starved else REFUSED, error.message
    except MemoryError as error:
        outcome, message = STARVED, str(error)
    cpu_seconds = time.process_time() - began_seconds
    honest_seconds = max(before_seconds, measure_honest_seconds(honest))
    return {
        "outcome": outcome,
        "message": message,
        "cpu_seconds": round(cpu_seconds, 3),
        "honest_pictures": round(cpu_seconds / honest_seconds, 1),
    }


def measure_honest_seconds(honest: bytes) -> float:
    began_seconds = time.process_time()
    decode_views(honest)
    return time.process_time() - began_seconds


if __name__ == "__main__":
    main()
