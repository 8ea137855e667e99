"""Draws calls that are wrong outside their body: content type, path, method, query, headers."""

import json
import zlib
from random import Random

from tests.integration.gateway.requests_to_send import MEBIBYTE, PAGE, MalformedRequest, send, word


def wrong_content_type(random: Random) -> MalformedRequest:
    content_type = random.choice(
        [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/html",
            "application/xml",
            "application/octet-stream",
            "application/json; charset=utf-16",
            "application/json; charset=latin-1",
            "json",
            "application/jsonp",
            word(random),
        ]
    )
    path = random.choice(["/submit_task", "/submit_batch"])
    return MalformedRequest("POST", path, json.dumps({"url": PAGE}).encode(), {"Content-Type": content_type})


def compressed_body(random: Random) -> MalformedRequest:
    headers = {"Content-Type": "application/json", "Content-Encoding": random.choice(["gzip", "deflate", "br", "zstd"])}
    return MalformedRequest(body=zlib.compress(b" " * MEBIBYTE), headers=headers)


def bad_id(random: Random) -> MalformedRequest:
    task_id = random.choice(
        [
            "1",
            "task_",
            "task_zz" + "a" * 26,
            "task_00" + "a" * 25,
            "task_00" + "a" * 27,
            "task_00" + "A" * 26,
            "task_00" + "1" * 26,
            "task_ff" + "a" * 26,
            "task_00" + "a" * 26,
            "..%2F..%2Fetc%2Fpasswd",
            "%00",
            "%ff%fe",
            "task_00" + "%C3%A4" * 26,
            "*",
            word(random),
            "a" * 4000,
        ]
    )
    method, route = random.choice([("GET", "task_status"), ("POST", "cancel_task")])
    return MalformedRequest(method, f"/{route}/{task_id}", headers={})


def unknown_route(random: Random) -> MalformedRequest:
    path = random.choice(["/submit", "/tasks/", "/task_status", "/task_status/", "/Stats", "//stats", "/a" * 500])
    return MalformedRequest(random.choice(["GET", "POST", "DELETE"]), random.choice([path, f"/{word(random)}"]))


def wrong_method(random: Random) -> MalformedRequest:
    method, path = random.choice(
        [
            ("GET", "/submit_task"),
            ("PUT", "/submit_task"),
            ("DELETE", "/submit_batch"),
            ("POST", "/task_status/x"),
            ("GET", "/cancel_task/x"),
            ("POST", "/tasks"),
            ("POST", "/stats"),
            ("PATCH", "/workers"),
            ("POST", "/health"),
            ("POST", "/metrics"),
            ("OPTIONS", "/submit_task"),
            ("TRACE", "/events"),
        ]
    )
    return MalformedRequest(method, path, headers={})


def bad_query(random: Random) -> MalformedRequest:
    task = "/task_status/task_00" + "a" * 26
    path = random.choice(
        [
            *(f"{task}?wait={text}" for text in ("", "x", "-1", "61", "1e9", "nan", "inf", "0x1", "%20", "1%00", "٣")),
            f"{task}?wait=1&wait=2",
            f"{task}?wait=1&{word(random)}=1",
            *(f"/tasks?limit={text}" for text in ("0", "201", "-1", "1.5", "x", "", "99999999999999999999", "%20 1")),
            *(f"/tasks?status={text}" for text in ("", "done", "PENDING", "pending,failed")),
            *(f"/tasks?cursor={text}" for text in ("", "x", "AAAA", "%00", "a" * 257)),
            "/tasks?target=",
            "/tasks?target=" + "a" * 254,
            f"/tasks?{word(random)}=1",
            f"/stats?{word(random)}=1",
            f"/workers?{word(random)}",
        ]
    )
    return MalformedRequest("GET", path.replace(" ", "%20"), headers={})


def bad_submit_query(random: Random) -> MalformedRequest:
    return send({"url": PAGE}, f"/submit_task?{word(random)}=1")


def bad_idempotency_key(random: Random) -> MalformedRequest:
    key = random.choice(["", "a b", "a" * 256, "é", "a\tb", "☃"])
    return send({"url": PAGE}, **{"Idempotency-Key": key})


def foreign_host(random: Random) -> MalformedRequest:
    host = random.choice(
        ["evil.net", "captchad.evil.net:8080", "127.0.0.1.evil.net", "192.168.1.5", "localhost@evil.net", "x y", "[::"]
    )
    path = random.choice(["/stats", "/tasks", "/health", "/metrics", "/status/config", "/docs"])
    return MalformedRequest("GET", path, headers={"Host": host})


def foreign_origin(random: Random) -> MalformedRequest:
    origin = random.choice(
        ["http://evil.net", "null", "https://127.0.0.1", "http://localhost:1", "file://", word(random)]
    )
    return send({"url": PAGE}, Origin=origin)
