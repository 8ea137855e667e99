"""Callbacks are verified: by the client, and by what docs/callbacks.md has for other languages."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from captchad.client.callbacks import CallbackRejected, verify_callback
from captchad.domain.callback import SIGNATURE_HEADER, read_secret, sign

DOCUMENT = (Path(__file__).parents[3] / "docs/callbacks.md").read_text(encoding="utf-8")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PLAIN_SECRET = "a secret of at least thirty-two characters"
BODY = '{"task_id":"task_1","status":"completed","metadata":{"who":"Zoë"}}'.encode()
NOW = 1_796_040_000


def make_headers(secret: str = SECRET, body: bytes = BODY, timestamp: int = NOW) -> dict[str, str]:
    signature = sign(read_secret(secret), "task_1", timestamp, body)
    return {"webhook-id": "task_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # From the specification's own test vector.
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


@pytest.mark.parametrize("secret", [SECRET, PLAIN_SECRET])
def test_a_callback_as_it_came_is_believed(secret: str) -> None:
    headers = {name.title(): value for name, value in make_headers(secret).items()}
    assert verify_callback(secret, headers, BODY, now=NOW + 299)["metadata"] == {"who": "Zoë"}


def test_while_a_secret_is_changed_either_is_believed() -> None:
    for secret in (SECRET, PLAIN_SECRET):
        assert verify_callback([SECRET, PLAIN_SECRET], make_headers(secret), BODY, now=NOW)


@pytest.mark.parametrize(
    ("headers", "body", "now", "why"),
    [
        ({}, BODY, NOW, "headers"),
        (make_headers() | {"webhook-timestamp": "soon"}, BODY, NOW, "headers"),
        (make_headers(), BODY + b" ", NOW, "signature"),
        (make_headers() | {"webhook-id": "task_2"}, BODY, NOW, "signature"),
        (make_headers() | {"webhook-timestamp": str(NOW + 1)}, BODY, NOW, "signature"),
        (make_headers() | {"webhook-signature": "v1,é"}, BODY, NOW, "signature"),
        (make_headers() | {"webhook-id": "\udcff", "webhook-signature": "\udcff"}, BODY, NOW, "signature"),
        (make_headers(PLAIN_SECRET), BODY, NOW, "signature"),
        (make_headers(), BODY, NOW + 301, "timestamp"),
        (make_headers(), BODY, NOW - 301, "timestamp"),
    ],
)
def test_anything_else_is_not(headers: dict[str, str], body: bytes, now: int, why: str) -> None:
    with pytest.raises(CallbackRejected, match=why):
        verify_callback(SECRET, headers, body, now=now)


@pytest.mark.parametrize("secret", ["short", "whsec_!!", "whsec_" + base64.b64encode(b"short").decode()])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"must|not"):
        read_secret(secret)


DRIVERS = {
    "javascript": (
        "node",
        "verifier.js",
        "const call = JSON.parse(require('fs').readFileSync(process.argv[2]));\n"
        "console.log(verifyCallback(call.secret, call.headers, call.body, call.now));\n",
    ),
    "php": (
        "php",
        "verifier.php",
        "$call = json_decode(file_get_contents($argv[1]), true);\n"
        "echo json_encode(verify_callback($call['secret'], $call['headers'], $call['body'], $call['now'])), PHP_EOL;\n",
    ),
    "java": (
        "java",
        "Main.java",
        "class Main { public static void main(String[] a) throws Exception {\n"
        "  byte[] body = a[4].getBytes(StandardCharsets.UTF_8);\n"
        "  System.out.println(Callbacks.verify(a[0], a[1], a[2], a[3], body, Long.parseLong(a[5]))); } }\n",
    ),
}


def run_documented(language: str, folder: Path, secret: str, headers: dict[str, str], body: str) -> bool:
    """Run the verifier that the documentation has for a language."""
    program, name, driver = DRIVERS[language]
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    code = found[1]
    call = {"secret": secret, "headers": headers, "body": body, "now": NOW}
    arguments = [str(folder / "call.json")]
    (folder / "call.json").write_text(json.dumps(call), encoding="utf-8")
    if language == "java":
        # The class with main comes first, after the imports.
        imports, _, rest = code.partition("\n\n")
        code = f"{imports}\n{driver}{rest}"
        arguments = [secret, *headers.values(), body, str(NOW)]
    else:
        code = ("<?php\n" if language == "php" else "") + code + driver
    (folder / name).write_text(code, encoding="utf-8")
    ended = subprocess.run(
        [program, str(folder / name), *arguments], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return bool(json.loads(ended.stdout))


@pytest.mark.parametrize("language", [one for one in DRIVERS if shutil.which(DRIVERS[one][0])])
def test_what_is_documented_for_other_languages_verifies_the_same(language: str, tmp_path: Path) -> None:
    text, headers = BODY.decode(), make_headers()
    assert run_documented(language, tmp_path, SECRET, headers, text)
    two = headers | {SIGNATURE_HEADER: f"v2,AAAA {headers[SIGNATURE_HEADER]}"}
    assert run_documented(language, tmp_path, SECRET, two, text)
    assert not run_documented(language, tmp_path, SECRET, headers, text + " ")
    assert not run_documented(language, tmp_path, SECRET, make_headers(timestamp=NOW - 301), text)


def test_what_is_documented_for_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    names: dict[str, object] = {"SECRET": SECRET}
    exec(found[1], names)
    receive = names["receive"]
    assert callable(receive)
    assert receive(make_headers(), BODY) == 400, "the timestamp is in the past, or the future"
    assert capsys.readouterr().out == ""
