"""One round of coverage-guided fuzzing of the decoder, run by `tests.fuzz.rounds`: FOLDER SEED INPUTS SECONDS.

Every input must become pixels within the limits, or be refused, within a second of CPU; anything else ends the run
with the input in FOLDER. The corpus starts from a small file of every kind and grows in FOLDER/corpus.
"""

import contextlib
import hashlib
import struct
import sys
import time
import warnings
import zlib
from pathlib import Path

import atheris

# Only what steps through bytes: what atheris watches being compared is never freed, and pixels are megabytes.
with atheris.instrument_imports(include=["PIL", "captchad.domain.picture", "captchad.recognition.essentials"]):
    from captchad.recognition.decoding import decode_picture, is_blank

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_PIXELS
from tests.unit.recognition.pictures import PNG_SIGNATURE, SAMPLES

CPU_LIMIT_SECONDS = 2.0
"""Twice what the decoder may take, for what is counted here slows it down."""

INPUT_LIMIT_BYTES = 65_536
MEMORY_LIMIT_MIB = 1024
HANG_SECONDS = 30


def decode_or_refuse(data: bytes) -> None:
    """Hold one input against all that the decoder promises."""
    began_seconds = time.process_time()
    with contextlib.suppress(PictureRefused):
        pixels = decode_picture(data)
        assert pixels.ndim in {2, 3}
        assert pixels.dtype == "uint8"
        assert 1 <= pixels.shape[0] * pixels.shape[1] <= PICTURE_LIMIT_PIXELS
        is_blank(pixels)
    assert time.process_time() - began_seconds < CPU_LIMIT_SECONDS


def mutate(data: bytes, limit_bytes: int, seed: int) -> bytes:
    """Change an input; a PNG's checksums are repaired three times of four, or nothing behind them is reached."""
    mutated: bytes = atheris.Mutate(data, limit_bytes)
    if seed % 4 == 0 or not mutated.startswith(PNG_SIGNATURE):
        return mutated
    return repair_checksums(mutated)[:limit_bytes]


def repair_checksums(data: bytes) -> bytes:
    """Set the checksum of every whole chunk of a PNG."""
    repaired, position = bytearray(data), len(PNG_SIGNATURE)
    while position + 12 <= len(repaired):
        (length,) = struct.unpack_from(">I", repaired, position)
        end = position + 8 + length
        if end + 4 > len(repaired):
            break
        struct.pack_into(">I", repaired, end, zlib.crc32(repaired[position + 4 : end]))
        position = end + 4
    return bytes(repaired)


def write_seeds(corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for data in SAMPLES.values():
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)


def fuzz(folder: Path, seed: int, inputs: int, seconds: int) -> None:
    """Fuzz until `inputs` are tried or `seconds` are over; ends the process."""
    write_seeds(folder / "corpus")
    options = [
        f"-seed={seed}",
        f"-runs={inputs}",
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_LIMIT_BYTES}",
        f"-rss_limit_mb={MEMORY_LIMIT_MIB}",
        f"-timeout={HANG_SECONDS}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(folder / "corpus"),
    ]
    warnings.simplefilter("ignore")
    atheris.Setup([sys.argv[0], *options], decode_or_refuse, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(Path(sys.argv[1]), *map(int, sys.argv[2:]))
