"""Draws the bytes of requests, proper ones and such as break one rule of HTTP each."""

import gzip
import json
from random import Random

from tests.integration.gateway.requests_to_send import MalformedRequest, word

HOST = b"Host: 127.0.0.1"
CLOSE = b"Connection: close"
PAGE = "https://captcha.example.com/login"
BODY = json.dumps({"url": PAGE}).encode()
POST = b"POST /submit_task HTTP/1.1\r\n" + HOST + b"\r\n" + CLOSE + b"\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked"
READING = ("/livez", "/readyz", "/", "/stats", "/tasks?limit=3", "/workers", "/queue_status", "/health", "/docs")


def encode_request(request: MalformedRequest) -> bytes:
    """Return a well-framed request as bytes, a chunked body in one chunk."""
    body = request.body or b""
    headers = {"Host": "127.0.0.1", "Connection": "close"} | request.headers
    if request.is_chunked:
        headers["Transfer-Encoding"], body = "chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    elif request.body is not None:
        headers["Content-Length"] = str(len(body))
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def make_valid(random: Random, *, is_last: bool = True) -> bytes:
    """Return a proper request; those that submit are framed by length or in chunks."""
    close = CLOSE if is_last else b"Connection: keep-alive"
    if random.random() < 0.7:
        method = random.choice([b"GET", b"GET", b"HEAD"])
        path = random.choice(READING).encode()
        return b"%b %b HTTP/1.1\r\n%b\r\n%b\r\n\r\n" % (method, path, HOST, close)
    if random.random() < 0.5:
        content = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    else:
        cut = random.randint(1, len(BODY) - 1)
        pieces = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in (BODY[:cut], BODY[cut:]))
        content = b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    return POST.replace(CLOSE, close) + content


def _get(*lines: bytes, path: bytes = b"/livez") -> bytes:
    return b"\r\n".join((b"GET " + path + b" HTTP/1.1", HOST, CLOSE, *lines)) + b"\r\n\r\n"


def bad_request_line(random: Random) -> bytes:
    """Draw a first line that is none."""
    line = random.choice(
        [
            b"GET",
            b"GET /livez HTTP/2.5.1",
            b"GET /livez HTTP/1",
            b"GET /livez HTTP/x.y",
            b"GET /livez http/1.1",
            b"GET /livez HTTPS/1.1",
            b"GE T /livez HTTP/1.1",
            b"GET /a b HTTP/1.1",
            b"G\x00T /livez HTTP/1.1",
            b"G(T /livez HTTP/1.1",
            b"\xffGET /livez HTTP/1.1",
            b"GET /livez HTTP/1.1 more",
            random.randbytes(random.randint(1, 40)).translate(None, b"\r\n") + b" /livez HTTP/1.1\x00",
            word(random).encode(),
        ]
    )
    return line + b"\r\n" + HOST + b"\r\n\r\n"


def bad_target(random: Random) -> bytes:
    """Draw a target that is well-formed, or nearly, and leads nowhere."""
    path = random.choice(
        [
            b"/%zz",
            b"/%",
            b"/%00",
            b"/task_status/%ff%fe",
            b"/..%2f..%2fetc/passwd",
            b"/../../etc/passwd",
            b"//evil.example.net/livez",
            b"http://evil.example.net/livez2",
            b"/livez;a=b",
            b"/" + b"a" * random.choice([5000, 8100, 9000, 60_000]),
            b"/livez/" * 200,
            b"*",
            b"?",
            b"/[",
            b"/\xc3\xa4",
            b"http://[::1/",
            b"http://127.0.0.1:99999/livez2",
        ]
    )
    return _get(path=path)


def bad_header(random: Random) -> bytes:
    """Draw a header that is none."""
    line = random.choice(
        [
            b"no colon",
            b": no name",
            b"A B: c",
            b"A : b",
            b"A\x00: b",
            b"A: b\x00c",
            b"A: b\x01c",
            b"A: b\rc",
            b"\xc3\xa4: b",
            b"A(: b",
            b"Content-Length: x",
            b"Content-Length: 5 5",
            b"Content-Length: 5, 5",
            b"Content-Length: +5",
            b"Content-Length: 0x5",
            b"Content-Length: 5\r\nContent-Length: 6",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            b"Host: 127.0.0.1",
        ]
    )
    return _get(line)


def flood(random: Random) -> bytes:
    """Draw too many headers, or too long ones."""
    name = word(random).encode()
    lines = random.choice(
        [
            [b"%b-%d: b" % (name, number) for number in range(random.choice([150, 2000]))],
            [b"%b: b" % name] * random.choice([150, 2000]),
            [name + b": " + b"a" * random.choice([17_000, 100_000, 1_000_000])],
            [name * 4000 + b": b"],
            [b"Cookie: " + b"; ".join([b"a=b"] * 6000)],
        ]
    )
    return _get(*lines)


def bad_chunks(random: Random) -> bytes:
    """Draw a chunked body that is not framed as one."""
    size = b"%x" % len(BODY)
    body = random.choice(
        [
            b"x\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"-" + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"0x" + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"f" * random.choice([17, 40, 4000]) + b"\r\n" + BODY,
            size + b"\r\n" + BODY + b"0\r\n\r\n",
            size + b"\r\n" + BODY + b"XX0\r\n\r\n",
            b"1\r\n" + BODY + b"\r\n0\r\n\r\n",
            size + b" \x00\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"0\r\n\r\n",
        ]
    )
    return CHUNKED + b"\r\n\r\n" + body


def smuggle(random: Random) -> bytes:
    """Draw a request that two servers might end at two places; what is hidden in it must not be answered."""
    hidden = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n\r\n"
    lines = random.choice(
        [
            b"Content-Length: %d\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nContent-Length: %d",
            b"Content-Length: 0\r\nContent-Length: %d",
            b"Content-Length: %d\r\nTransfer-Encoding: xchunked",
            b"Content-Length: %d\r\nTransfer-Encoding : chunked",
            b"Content-Length: %d\r\nTransfer-Encoding: chunked, identity",
            b"Content-Length: %d\r\nTransfer-Encoding:\x0bchunked",
            b"X: y\nContent-Length: %d\r\nTransfer-Encoding: chunked",
        ]
    )
    body = b"0\r\n\r\n" + hidden
    return POST + lines % len(body) + b"\r\n\r\n" + body


def huge_number(random: Random) -> bytes:
    """Draw a number that is out of every range."""
    digits = b"9" * random.choice([20, 300, 5000])
    post = POST + b"Content-Length: "
    body = random.choice(
        [
            b'{"url": "%b", "timeout": %b}' % (PAGE.encode(), digits),
            b'{"url": "%b", "retry_count": 1e%b}' % (PAGE.encode(), digits),
            b'{"url": "%b", "metadata": {"a": -%b}}' % (PAGE.encode(), digits),
        ]
    )
    return random.choice(
        [
            _get(path=b"/tasks?limit=" + digits),
            _get(path=b"/tasks?limit=1e" + digits),
            _get(path=b"/task_status/task_00" + b"a" * 26 + b"?wait=" + digits),
            post + b"9" * 400 + b"\r\n\r\n",
            post + b"%d\r\n\r\n%b" % (len(body), body),
        ]
    )


def wrong_encoding(random: Random) -> bytes:
    """Draw a body that is not the UTF-8 it must be."""
    name, content = random.choice(
        [
            (b"application/json", BODY.decode().encode("utf-16")),
            (b"application/json", BODY.decode().encode("utf-32")),
            (b"application/json", gzip.compress(BODY)),
            (b"application/json", BODY[:-2] + b"\xff\xfe" + BODY[-2:]),
            (b"application/json; charset=utf-16", BODY),
            (b"application/json; charset=\xff", BODY),
            (b"application/json; charset=" + word(random).encode(), BODY),
            (b"application/x-www-form-urlencoded", b"url=" + PAGE.encode()),
            (b"\xff/\xfe", BODY),
        ]
    )
    head = POST.replace(b"application/json", b"%b") + b"Content-Length: %d\r\n\r\n"
    return head % (name, len(content)) + content
