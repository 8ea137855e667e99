"""Whatever comes, the answer is in the dialect's words, and nothing fails inside."""

import io
import json
from random import Random
from typing import Any

import pytest

from captchad.web.compatibility.create_task import RIGHT_REPORTS, WRONG_REPORTS
from tests.integration.gateway.compatibility.conftest import HOST, PICTURE, Solver

REQUESTS = 200
SEED = 20261130
FORM_ROUTES = ("/in.php", "/res.php")
TASK_ROUTES = ("/createTask", "/getTaskResult", "/getBalance", *RIGHT_REPORTS, *WRONG_REPORTS)
OCR_ROUTES = ("/ocr", "/ocr/file")
NAMES = (
    *("key", "clientKey", "task", "taskId", "callbackUrl", "type", "body", "image", "file", "method", "action", "id"),
    *("json", "numeric", "phrase", "case", "Case", "math", "minLength", "max_len", "comment", "textinstructions"),
    *("websiteURL", "pageurl", "recognizingThreshold", "probability", "colors", "custom_color_ranges", "pingback"),
)
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain", "x")
NO_PICTURE = "aGVsbG8="
INTERNAL = "ERROR_INTERNAL_SERVER_ERROR"


def make_value(random: Random, key: str, depth: int = 0) -> Any:
    texts = (key, PICTURE, PICTURE[:-5], "", "ImageToTextTask", "base64", "post", "get", "reportbad", f"http://{HOST}/")
    scalars = (None, True, False, 0, 1, -1, 10**30, 1.5, "1", "only the red letters", "\x00", "é\u202e", *texts)
    if depth < 3 and random.random() < 0.2:
        return [make_value(random, key, depth + 1) for _ in range(random.randint(0, 3))]
    if depth < 3 and random.random() < 0.3:
        return make_object(random, key, depth + 1)
    return random.choice(scalars)


def make_object(random: Random, key: str, depth: int = 0) -> dict[str, Any]:
    fields = {random.choice(NAMES): make_value(random, key, depth) for _ in range(random.randint(0, 8))}
    likely = {"key": key, "clientKey": key, "task": {"type": "ImageToTextTask", "body": PICTURE}, "body": PICTURE}
    return {name: value for name, value in likely.items() if random.random() < 0.7} | fields


def make_body(random: Random, key: str, content_type: str) -> bytes:
    value = make_object(random, key)
    if random.random() < 0.1:
        return random.randbytes(random.randint(0, 400))
    if "json" in content_type or random.random() < 0.2:
        body = json.dumps(value).encode()
    elif "multipart" in content_type:
        parts = (
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{one}\r\n' for name, one in value.items()
        )
        body = ("".join(parts) + "--b--\r\n").encode()
    else:
        body = "&".join(f"{name}={one}" for name, one in value.items()).encode()
    if body and random.random() < 0.2:
        at = random.randrange(len(body))
        body = body[:at] + random.randbytes(random.randint(0, 3)) + body[at + random.randint(0, 9) :]
    return body


@pytest.mark.parametrize("routes", [FORM_ROUTES, TASK_ROUTES, OCR_ROUTES], ids=["in.php", "createTask", "ocr"])
async def test_any_request_is_answered(solver: Solver, routes: tuple[str, ...]) -> None:
    random = Random(SEED)
    for number in range(REQUESTS):
        path, content_type = random.choice(routes), random.choice(TYPES)
        body = make_body(random, solver.key, content_type)
        if routes is OCR_ROUTES:
            # A whole picture would be waited for.
            body = body.replace(PICTURE.encode(), NO_PICTURE.encode())
        headers = {"Content-Type": content_type, "X-API-Key": solver.key}
        async with solver.gateway.session.post(path, data=io.BytesIO(body), headers=headers) as answer:
            text = await answer.text()
            assert (answer.status == 200) is (routes is not OCR_ROUTES), (number, body, text)
            assert answer.status < 500, (number, body, text)
            assert INTERNAL not in text, (number, body, text)
            if routes is TASK_ROUTES:
                assert isinstance(json.loads(text)["errorId"], int)
    async with solver.gateway.session.get("/livez") as alive:
        assert alive.status == 200
