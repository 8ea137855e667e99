"""What is allowed, and warned of."""

from typing import Any

import pytest

from captchad.config.doubts import find_doubts
from captchad.config.settings import Configuration


def doubts(tree: dict[str, Any]) -> list[tuple[str, str]]:
    return list(find_doubts(Configuration.model_validate(tree)))


def test_a_configuration_without_anything_odd_is_not_doubted() -> None:
    targets = [{"host": "127.0.0.1", "ports": [8090]}, {"host": "captcha.example.com", "ports": [443, 8080]}]
    models = {"captcha.example.com": "model.onnx"}
    assert doubts({"security": {"targets": targets}, "recognition": {"models": models}}) == []


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        (
            {"worker": {"task_timeout": 60, "task_deadline_seconds": 30}},
            "worker.task_timeout",
            "is longer than worker.task_deadline_seconds, which ends the task first",
        ),
        (
            {"redis": {"tls": {"key_file": "k"}}},
            "redis.tls",
            "certificate_file and key_file belong together; one alone is not used",
        ),
        (
            {"redis": {"connection_pool_size": 11, "max_connections": 10}},
            "redis.connection_pool_size",
            "keeps more connections than redis.max_connections allows: 10",
        ),
        (
            {"security": {"callback_hosts": ["a.example:8443"], "callback_private_hosts": ["a.example", "b.example"]}},
            "security.callback_private_hosts",
            "security.callback_hosts does not name b.example",
        ),
        (
            {"recognition": {"models": {"captcha.example.com": "model.onnx"}}},
            "recognition.models.captcha.example.com",
            "the model is never used: security.targets declares no captcha.example.com",
        ),
        (
            {"security": {"targets": [{"host": "localhost", "ports": [8090, 8080]}]}},
            "security.targets[0].ports",
            "8080 is the gateway's usual port; captchad's own addresses are closed to every page",
        ),
        (
            {
                "redis": {"url": "redis://127.0.0.1:7000/0"},
                "security": {"targets": [{"host": "127.0.0.1", "ports": [7000]}]},
            },
            "security.targets[0].ports",
            "7000 is Redis's; captchad's own addresses are closed to every page",
        ),
        (
            {
                "browser": {"backend": "cdp", "urls": ["http://127.0.0.1:9222"]},
                "security": {"targets": [{"host": "127.0.0.1", "ports": [9222]}]},
            },
            "security.targets[0].ports",
            "9222 is a browser's; captchad's own addresses are closed to every page",
        ),
    ],
)
def test_what_is_probably_a_mistake_is_named(tree: dict[str, Any], path: str, message: str) -> None:
    assert doubts(tree) == [(path, message)]


@pytest.mark.parametrize(("role", "other"), [("gateway", "monitor"), ("monitor", "gateway")])
def test_hsts_of_one_role_is_doubted_while_the_other_speaks_no_tls(role: str, other: str) -> None:
    tls = {"certificate": "c", "key": "k"}
    [(path, message)] = doubts({role: {"tls": tls}})
    assert path == f"{role}.tls.strict_transport_security_seconds"
    assert f"set {other}.tls, or this to 0" in message
    assert doubts({role: {"tls": tls}, other: {"tls": tls}}) == []
    assert doubts({role: {"tls": tls | {"strict_transport_security_seconds": 0}}}) == []
