"""Draws bodies of the right shape whose pictures, URLs or targets are wrong, and bodies that are too large."""

import struct
from random import Random

from tests.integration.gateway.requests_to_send import MEBIBYTE, PAGE, MalformedRequest, encode, make_png, send, word


def bad_base64(random: Random) -> MalformedRequest:
    good = encode(make_png(60, 20))
    at = random.randrange(1, len(good) - 4)
    image = random.choice(
        [
            "data:image/png;base64," + good,
            good.rstrip("=")[:-1] + "*",
            good[:at] + random.choice(" \n\t-_!é€\x00") + good[at:],
            good[: len(good) // 4 * 4 - 4] + "A",
            "====",
            "=" + good,
            good + good + "=",
        ]
    )
    return send({"image": image, "target": "captcha.example.com"})


def no_picture(random: Random) -> MalformedRequest:
    data = random.choice(
        [
            b"",
            random.randbytes(random.randint(1, 200)),
            b"%PDF-1.7\n" + random.randbytes(50),
            b"<html><body>no captcha</body></html>",
            b"PK\x03\x04" + random.randbytes(50),
            make_png(60, 20)[: random.randint(1, 20)],
            b"GIF89a",
            b"\xff\xd8\xff",
            b"RIFF\x00\x00\x00\x00WEBP",
            b"BM" + b"\0" * 4,
            b"II*\x00" + random.randbytes(40),
            b"\x00\x00\x01\x00" + random.randbytes(40),
        ]
    )
    return send({"image": encode(data), "target": "captcha.example.com"})


def pixel_bomb(random: Random) -> MalformedRequest:
    width, height = random.choice([(2001, 2000), (50_000, 50_000), (2**31 - 1, 1), (1, 4_000_001), (0, 10), (10, 0)])
    gif = b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x00\x00\x00"
    bmp = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 40_000, -40_000, 1, 24, *[0] * 6)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="100000"></svg>'
    data = random.choice([make_png(width, height), make_png(width, height), gif, bmp, svg])
    return send({"image": encode(data), "target": "captcha.example.com"})


def picture_of_too_many_bytes(random: Random) -> MalformedRequest:
    size = 2 * MEBIBYTE + random.choice([1, 2, 3, 1000, MEBIBYTE // 2])
    return send({"image": encode(make_png(60, 20).ljust(size, b"\0")), "target": "captcha.example.com"})


def huge_body(random: Random) -> MalformedRequest:
    filler = b" " * (4 * MEBIBYTE + random.randint(1, MEBIBYTE))
    body = random.choice(
        [filler, b'{"url":"' + PAGE.encode() + b'"' + filler + b"}", b'{"image":"' + b"A" * len(filler)]
    )
    return MalformedRequest(body=body, is_chunked=random.random() < 0.5)


def huge_batch(random: Random) -> MalformedRequest:
    body = b'{"tasks":[' + b" " * (16 * MEBIBYTE + random.randint(1, 1000)) + b"]}"
    return MalformedRequest(path="/submit_batch", body=body, is_chunked=random.random() < 0.5)


def other_scheme(random: Random) -> MalformedRequest:
    return send(
        {
            "url": random.choice(
                [
                    "file:///etc/passwd",
                    "FILE:///etc/shadow",
                    "javascript:alert(1)",
                    "JaVaScRiPt://captcha.example.com/%0aalert(1)",
                    "data:text/html,<b>x</b>",
                    "data:text/html;base64,AAAA",
                    "ftp://captcha.example.com/x",
                    "ws://captcha.example.com/",
                    "chrome://version",
                    "about:blank",
                    "view-source:http://captcha.example.com/",
                    "blob:http://captcha.example.com/1",
                    "gopher://captcha.example.com/",
                    f"{word(random)}://captcha.example.com/",
                ]
            )
        }
    )


def malformed_url(random: Random) -> MalformedRequest:
    url = random.choice(
        [
            "captcha.example.com",
            "/login",
            "//captcha.example.com/",
            "?x=1",
            "http://",
            "http:///login",
            "https:captcha.example.com",
            "http://captcha.example.com:99999/",
            "http://captcha.example.com:abc/",
            "http://captcha.example.com:-1/",
            "http://captcha.example.com:0/",
            "http://[::1/",
            "http://[captcha]/",
            "http://captcha.example.com/a b",
            "http://captcha.example.com/\nx",
            " http://captcha.example.com/",
            "http://captcha.example.com/\\x",
            "http://captcha.example.com/\u0000",
            "http://:80/",
            word(random),
        ]
    )
    return send({"url": url})


def undeclared(random: Random) -> MalformedRequest:
    host = random.choice(
        [
            "example.com",
            "www.example.com",
            "captcha.example.com.evil.net",
            "xcaptcha.example.com",
            "sites.example.org",
            "captcha.example.com:8443",
            "127.0.0.1:9999",
            "127.0.0.1",
            "localhost:8085",
            "10.1.2.3",
            "169.254.169.254",
            "[::1]:8085",
            "[::ffff:127.0.0.1]:8085",
            "0.0.0.0:8085",
            "2130706433:8085",
            "0x7f000001:8085",
            "0177.0.0.1:8085",
            "127.1:8085",
            "old.example.com",
            "user:secret@captcha.example.com",
            "captcha.example.com@evil.net",
            "captcha.example.com%2eevil.net",
            "ｃaptcha.example.net",
            f"{word(random)}.net",
        ]
    )
    return send({"url": f"{random.choice(['http', 'https'])}://{host}/"})


def undeclared_target(random: Random) -> MalformedRequest:
    target = random.choice(["example.com", "127.0.0.2", "old.example.com", "*", "*.example.com", "a b", word(random)])
    return send({"image": encode(make_png(60, 20)), "target": target})


def undeclared_in_batch(random: Random) -> MalformedRequest:
    tasks = [{"url": PAGE}] * random.randint(0, 50) + [{"url": f"http://{word(random)}.net/"}]
    return send({"tasks": tasks}, "/submit_batch")
