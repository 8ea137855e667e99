"""Draws what may come over a connection: proper requests, requests of every kind of brokenness, and plain noise.

Each kind draws from a seeded source, so that a run can be repeated, and says what may come back.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.integration.gateway.malformed_requests import KINDS as WELL_FRAMED_KINDS
from tests.integration.gateway.requests_to_send import MalformedRequest
from tests.system.api_proof.raw_shapes import (
    bad_chunks,
    bad_header,
    bad_request_line,
    bad_target,
    encode_request,
    flood,
    huge_number,
    make_valid,
    smuggle,
    wrong_encoding,
)

LONG_KINDS = frozenset({"a huge body", "a huge batch", "a picture of too many bytes", "a bad batch"})
"""Megabytes each: tests/integration/gateway sends them."""
SHORT_KINDS = [kind for kind in WELL_FRAMED_KINDS if kind.name not in LONG_KINDS]
LONGEST_PIPELINE = 20


@dataclass(frozen=True)
class RawRequest:
    """What is sent over one connection, and what may come back.

    `statuses` are those that may be answered, None for any that is no fault of the gateway's; `least` and `most` bound
    how many answers there are. `is_ended` says whether the caller ends its side once all is sent.
    """

    kind: str
    content: bytes
    statuses: frozenset[int] | None = None
    least: int = 0
    most: int = 100
    is_ended: bool = True


def _one(kind: str, draw: Callable[[Random], bytes], *statuses: int) -> Callable[[Random], RawRequest]:
    """A request that is answered once, by one of these statuses."""
    return lambda random: RawRequest(kind, draw(random), frozenset(statuses), 1, 1, is_ended=False)


def _well_framed(random: Random) -> RawRequest:
    kind = random.choice(SHORT_KINDS)
    request: MalformedRequest = kind.draw(random)
    return RawRequest(kind.name, encode_request(request), frozenset({kind.status}), 1, 1, is_ended=False)


def _valid(random: Random) -> RawRequest:
    return RawRequest("a proper request", make_valid(random), frozenset({200, 202, 302}), 1, 1, is_ended=False)


def _pipeline(random: Random) -> RawRequest:
    count = random.randint(2, LONGEST_PIPELINE)
    content = b"".join(make_valid(random, is_last=number == count) for number in range(1, count + 1))
    return RawRequest("a pipeline", content, frozenset({200, 202, 302}), count, count, is_ended=False)


def _truncated(random: Random) -> RawRequest:
    whole = make_valid(random)
    return RawRequest("a truncated request", whole[: random.randrange(len(whole))], most=1)


def _mutated(random: Random) -> RawRequest:
    content = bytearray(random.choice(DRAWN)(random).content)
    for _ in range(random.randint(1, 8)):
        at = random.randrange(len(content) + 1)
        match random.randrange(4):
            case 0:
                content[at:at] = random.randbytes(random.randint(1, 8))
            case 1:
                del content[at : at + random.randint(1, 8)]
            case 2:
                content[at : at + 1] = random.choice([b"\r", b"\n", b"\0", b":", b" ", b"\t", b"\xff", b"/", b"%"])
            case _:
                content[at:at] = content[: random.randint(0, len(content))]
    return RawRequest("a mutated request", bytes(content))


def _noise(random: Random) -> RawRequest:
    return RawRequest("noise", random.randbytes(random.randint(0, 2000)))


DRAWN: tuple[Callable[[Random], RawRequest], ...] = (
    _well_framed,
    _well_framed,
    _well_framed,
    _valid,
    _pipeline,
    _truncated,
    _noise,
    _one("a bad request line", bad_request_line, 400),
    _one("a bad target", bad_target, 400, 403, 404, 405, 414),
    _one("a bad header", bad_header, 400),
    _one("a flood of headers", flood, 414, 431),
    _one("bad chunks", bad_chunks, 400),
    _one("two requests that look like one", smuggle, 400),
    _one("a huge number", huge_number, 400, 413),
    _one("a wrong encoding", wrong_encoding, 400, 415),
)
KINDS = (*DRAWN, _mutated, _mutated, _mutated)


def draw_raw_requests(count: int, seed: int) -> list[RawRequest]:
    """Draw so many."""
    random = Random(seed)
    return [random.choice(KINDS)(random) for _ in range(count)]


def draw_slow_requests(count: int, seed: int) -> list[RawRequest]:
    """Draw requests whose callers fall silent in the middle of the head, and wait."""
    random = Random(seed)
    drawn = []
    for _ in range(count):
        whole = make_valid(random)
        cut = random.randrange(1, whole.index(b"\r\n\r\n"))
        drawn.append(RawRequest("a slow request", whole[:cut], frozenset({408}), 1, 1, is_ended=False))
    return drawn


def describe(request: RawRequest) -> str:
    """Return what is wrong with whom, short enough for a report."""
    return f"{request.kind}: {json.dumps(request.content[:600].decode('latin-1'))}"
