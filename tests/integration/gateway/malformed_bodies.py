"""Draws bodies that are no JSON, or JSON of the wrong shape."""

import json
from random import Random
from typing import Any

from tests.integration.gateway.requests_to_send import PAGE, MalformedRequest, encode, make_png, send, send_raw, word

FIELDS = (
    "url",
    "image",
    "target",
    "timeout",
    "retry_count",
    "priority",
    "selector",
    "hints",
    "task_deadline",
    "metadata",
)


def bad_json(random: Random) -> MalformedRequest:
    good = json.dumps({"url": PAGE, "timeout": 60}).encode()
    return send_raw(
        random.choice(
            [
                b"",
                good[: random.randint(1, len(good) - 1)],
                good + b"}",
                good.replace(b'"', b"'"),
                good.replace(b"60", b"60,"),
                good.replace(
                    b"60", random.choice([b"NaN", b"Infinity", b"-Infinity", b"1e999", b"0x10", b"+1", b"01"])
                ),
                b"\xef\xbb\xbf" + good,
                good.replace(b"login", bytes([random.randint(0x80, 0xFF)])),
                good.replace(b"login", b"\\ud800"),
                good.replace(b"login", b"\n"),
                b'{"url": "' + PAGE.encode() + b'", "url": "http://captcha.example.com/other"}',
                b"/* */" + good,
                word(random).encode(),
                b'{"url": "' + PAGE.encode() + b'", "timeout": ' + b"9" * 5000 + b"}",
            ]
        )
    )


def deep_json(random: Random) -> MalformedRequest:
    depth = random.choice([300, 990, 1023, 5000, 100_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    nest = opening * depth + b"1" + closing * depth
    return send_raw(random.choice([nest, b'{"url":"' + PAGE.encode() + b'","metadata":{"a":' + nest + b"}}"]))


def no_object(random: Random) -> MalformedRequest:
    path = random.choice(["/submit_task", "/submit_batch"])
    return send(random.choice([None, True, 1, 1.5, "text", [], [{"url": PAGE}], [[]]]), path)


WRONG_VALUES: dict[str, list[Any]] = {
    "url": [1, True, [], {}, [PAGE], {"href": PAGE}],
    "timeout": ["60", True, [], {}, [60]],
    "retry_count": ["3", True, 1.5, -3.0, [], {}],
    "priority": [1, True, [], {}, "urgent", "HIGH", ""],
    "selector": [1, True, [], {}, ["img"]],
    "hints": [1, True, "text", [], ["math"]],
    "task_deadline": ["3600", True, [], {}],
    "return_session": [1, 0, "true", "false", [], {}],
    "evidence": [1, 0, "yes", [], {}],
    "metadata": [1, True, "text", [], [{}]],
    "session": [1, True, "cookie", []],
    "fill": [1, True, "#text", []],
    "callback_url": [1, True, [], {}],
}


WRONG_HINTS: dict[str, list[Any]] = {
    "charset": [1, True, [], {}, "", ["a"], "a\nb"],
    "min_length": ["4", True, 1.5, 0, -1, 65, []],
    "max_length": ["4", True, 1.5, 0, -1, 65, {}],
    "case_sensitive": [1, 0, "true", []],
    "kind": [1, True, "slider", "TEXT", []],
}


def wrong_type(random: Random) -> MalformedRequest:
    name = random.choice(list(WRONG_VALUES))
    return send({"url": PAGE} | {name: random.choice(WRONG_VALUES[name])})


def wrong_hint(random: Random) -> MalformedRequest:
    name = random.choice(list(WRONG_HINTS))
    return send({"url": PAGE, "hints": {name: random.choice(WRONG_HINTS[name])}})


def wrong_image_type(random: Random) -> MalformedRequest:
    return send({"target": "captcha.example.com", "image": random.choice([1, True, [], {}, [1, 2, 3]])})


def null_field(random: Random) -> MalformedRequest:
    name = random.choice([*FIELDS, "session", "fill", "return_session", "evidence", "callback_url"])
    inner = random.choice(["charset", "min_length", "kind", "case_sensitive"])
    return send(random.choice([{"url": PAGE} | {name: None}, {"url": PAGE, "hints": {inner: None}}]))


def out_of_range(random: Random) -> MalformedRequest:
    name, value = random.choice(
        [
            ("timeout", random.choice([0, -1, 0.5, 600.5, 601, 10**12])),
            ("retry_count", random.choice([-1, 11, 10**6, 10**30])),
            ("task_deadline", random.choice([0, -5, 604_801, 10**15])),
            ("selector", random.choice(["", "   ", "a" * 1025, "ä" * 600, "a\x00b"])),
            ("metadata", {"text": "m" * 4096}),
            ("metadata", {word(random): "ü" * 2048 for _ in range(2)}),
            ("metadata", {"number": 2**64}),
            ("hints", {"min_length": 6, "max_length": 5}),
            ("hints", {"charset": "a" * 4097}),
            ("url", ""),
            ("url", "http://captcha.example.com/" + "a" * 9000),
        ]
    )
    return send({"url": PAGE} | {name: value})


def unknown_field(random: Random) -> MalformedRequest:
    name = random.choice(["URL", "uri", "retries", "webhook", "__proto__", "", "a/b~c", word(random)])
    return send(
        random.choice(
            [
                {"url": PAGE, name: 1},
                {"url": PAGE, "hints": {name: "x"}},
                {"url": PAGE} | {word(random): 1 for _ in range(random.choice([3, 100, 5000]))},
            ]
        )
    )


def contradiction(random: Random) -> MalformedRequest:
    image = encode(make_png(60, 20))
    return send(
        random.choice(
            [
                {},
                {"timeout": 5},
                {"url": PAGE, "image": image},
                {"url": PAGE, "image": image, "target": "captcha.example.com"},
                {"image": image},
                {"url": PAGE, "target": "captcha.example.com"},
                {"target": "captcha.example.com"},
                {"image": image, "target": "captcha.example.com", "selector": "img"},
                {"image": image, "target": ""},
                {"image": image, "target": "a" * 254},
            ]
        )
    )


def undeclared_callback(random: Random) -> MalformedRequest:
    body = {"url": PAGE, "callback_url": random.choice(["https://hooks.example.com/done", "http://localhost:1/x?y"])}
    return random.choice([send(body), send({"tasks": [{"url": PAGE}, body]}, "/submit_batch")])


def malformed_callback(random: Random) -> MalformedRequest:
    return send({"url": PAGE, "callback_url": random.choice(["ftp://hooks.example.com/", "hooks.example.com"])})


def bad_session(random: Random) -> MalformedRequest:
    session = random.choice(
        [
            {"cookie": []},
            {"cookies": [{"name": "a"}]},
            {"cookies": [{"name": "", "value": "b"}]},
            {"cookies": [{"name": "a", "value": 1}]},
            {"cookies": [{"name": "a", "value": "b", "path": None}]},
            {"cookies": [{"name": "a", "value": "b", "domain": "other.example.com"}]},
            {"cookies": [{"name": "a", "value": "b", "domain": "example.com"}]},
            {"cookies": [{"name": "a", "value": "b; Domain=example.com"}]},
            {"cookies": [{"name": "a", "value": "b"}] * 301},
            {"cookies": [{"name": "a", "value": "b"} | {word(random): 1 for _ in range(200)}]},
            {"headers": {"X A": "b"}},
            {"headers": {"X-A": "b\r\nX-B: c"}},
            {"headers": {random.choice(["User-Agent", "host", "Cookie", "proxy-x", "X-Forwarded-For", "Sec-X"]): "b"}},
            {"headers": {random.choice(["Forwarded", "connection", "Transfer-Encoding", "TE", "upgrade"]): "b"}},
            {"local_storage": {"a": 1}},
            {"local_storage": {str(number): "" for number in range(1001)}},
        ]
    )
    return send({"url": PAGE, "session": session})


def bad_fill(random: Random) -> MalformedRequest:
    element = random.choice(["xpath=//input", "//input", "text=Log in", "form >> input", "internal:role=textbox", "a["])
    return send(
        random.choice(
            [
                {"url": PAGE, "fill": {}},
                {"url": PAGE, "fill": {"input": ""}},
                {"url": PAGE, "fill": {"input": "#a", "submit": 1}},
                {"url": PAGE, "fill": {"input": "#a", "retry": "#b"}},
                {"url": PAGE, "fill": {"input": "#a", "success": random.choice(["url:", "text: "])}},
                {
                    "url": PAGE,
                    "fill": {"input": "#a", random.choice(["input", "submit", "refresh", "failure"]): element},
                },
                {"url": PAGE, "selector": element},
                {"image": encode(make_png(60, 20)), "target": "captcha.example.com", "fill": {"input": "#a"}},
                {"image": encode(make_png(60, 20)), "target": "captcha.example.com", "session": {}},
                {"image": encode(make_png(60, 20)), "target": "captcha.example.com", "return_session": True},
            ]
        )
    )


def bad_batch(random: Random) -> MalformedRequest:
    good = {"url": PAGE}
    bad = random.choice([{}, {"url": 1}, None, 1, "x", {"url": PAGE, "x": 1}, {"url": "file:///x"}, {"image": "*"}])
    return send(
        random.choice(
            [
                {},
                {"tasks": []},
                {"tasks": {}},
                {"tasks": "x"},
                {"tasks": None},
                {"tasks": [good] * 101},
                {"tasks": [good] * 20_000},
                {"tasks": [good], "x": 1},
                {"tasks": [good] * random.randint(0, 99) + [bad]},
                {"tasks": [good, {"url": PAGE} | {word(random): 1 for _ in range(200)}]},
                good,
            ]
        ),
        "/submit_batch",
    )
