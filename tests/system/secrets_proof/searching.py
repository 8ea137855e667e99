"""Finds a secret in any bytes: as it is, in the usual codings, and in what is compressed."""

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

LEAST_CODED_LENGTH = 8
"""Of a base64 piece: shorter ones occur by chance."""
DEPTH_LIMIT = 3
UNPACKED_LIMIT_BYTES = 64 * 1024 * 1024
COMPRESSED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
ZSTANDARD = b"\x28\xb5\x2f\xfd"
"""Nothing here is compressed so; what was could not be searched."""
EITHER_HEAD = 47
"""zlib's number for: a head of zlib's or of gzip's."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A secret, by its name, and where it was found in which coding."""

    place: str
    secret: str
    coding: str


class Search:
    """Looks for some secrets, given by name."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = [(name, coding, form) for name, value in secrets.items() for form, coding in code(value).items()]

    def find(self, place: str, content: bytes) -> Iterator[Hit]:
        """Yield each secret that is in `content`, or in what it has in it compressed."""
        for depth, piece in unpack(content):
            where = f"{place}, unpacked" if depth else place
            if piece.startswith(ZSTANDARD):
                yield Hit(where, "anything", "in zstd")
            for name, coding, form in self._forms:
                if form in piece:
                    yield Hit(where, name, coding)


def code(secret: str) -> dict[bytes, str]:
    """Return a secret in every coding, with the coding's name; most are the same for letters and digits."""
    raw = secret.encode()
    found = {
        "as it is": raw,
        "in JSON": json.dumps(secret)[1:-1].encode(),
        "in a URL": quote(secret, safe="").encode(),
        "in a path": quote(secret).encode(),
        "in a form": quote_plus(secret).encode(),
        "in hexadecimal": raw.hex().encode(),
        "in capital hexadecimal": raw.hex().upper().encode(),
    }
    for shift in range(3):
        piece = cut_base64(raw, shift)
        if len(piece) >= LEAST_CODED_LENGTH:
            found[f"in base64, shifted by {shift}"] = piece
            found[f"in base64 for URLs, shifted by {shift}"] = piece.translate(bytes.maketrans(b"+/", b"-_"))
    return {form: coding for coding, form in reversed(found.items())}


def cut_base64(raw: bytes, shift: int) -> bytes:
    """Return what is the same in every base64 in which `raw` begins at a place that is `shift` beyond a third one."""
    coded = base64.b64encode(bytes(shift) + raw)
    # Its first and last characters also depend on the neighbours.
    begin = 0 if shift == 0 else shift + 1
    whole = (shift + len(raw)) // 3 * 4
    return coded[begin:whole]


def unpack(content: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield `content`, and everything in it that zlib or gzip has compressed, as deep as that goes."""
    yield depth, content
    if depth == DEPTH_LIMIT:
        return
    for match in COMPRESSED.finditer(content):
        try:
            piece = zlib.decompressobj(EITHER_HEAD).decompress(content[match.start() :], UNPACKED_LIMIT_BYTES)
        except zlib.error:
            continue
        if piece:
            yield from unpack(piece, depth + 1)
