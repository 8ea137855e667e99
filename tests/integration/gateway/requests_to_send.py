"""What the generators of malformed requests are made of."""

import base64
import json
import struct
import zlib
from dataclasses import dataclass, field
from random import Random
from typing import Any

MEBIBYTE = 1024 * 1024


PAGE = "http://captcha.example.com/login"


@dataclass(frozen=True)
class MalformedRequest:
    """One request; `body` is sent as it is, in pieces of unannounced number where `is_chunked`."""

    method: str = "POST"
    path: str = "/submit_task"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    is_chunked: bool = False


def send(value: Any, path: str = "/submit_task", **headers: str) -> MalformedRequest:
    """Return a request with a JSON body."""
    return MalformedRequest("POST", path, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def send_raw(body: bytes) -> MalformedRequest:
    """Return a request whose body claims to be JSON."""
    return MalformedRequest(body=body)


def encode(data: bytes) -> str:
    """Return bytes as the field `image` wants them."""
    return base64.b64encode(data).decode()


def make_png(width: int, height: int) -> bytes:
    """Return a PNG's header and an empty picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def word(random: Random) -> str:
    """Return a name nothing else has."""
    return "x" + "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(4, 12)))
