from typing import Any

import pytest

from captchad.config.settings import Configuration
from captchad.config.start_rules import check_start_rules, unbuilt_settings
from captchad.domain.node import Role
from tests.unit.config import specified_files


def paths(tree: dict[str, Any], role: Role = Role.GATEWAY, host: str = "127.0.0.1") -> list[str]:
    return [problem.path for problem in check_start_rules(Configuration.model_validate(tree), role, host)]


@pytest.mark.parametrize("role", Role)
def test_production_needs_keys_and_a_password_for_a_remote_redis(role: Role) -> None:
    remote = {"environment": "prod", "redis": {"master": {"host": "10.0.0.1"}}}
    assert paths(remote, role) == ["security.api_key_required", "redis"]


def test_production_starts_with_keys_and_a_password() -> None:
    redis = {"master": {"host": "10.0.0.1", "password": "p"}}
    assert paths({"environment": "prod", "redis": redis, "security": {"api_key_required": True}}) == []


def test_production_takes_a_redis_on_this_machine_without_a_password() -> None:
    assert paths({"environment": "prod", "security": {"api_key_required": True}}) == []


def test_off_loopback_a_role_needs_keys() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        assert paths({}, host=host) == []
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        assert paths({}, host=host) == ["security.api_key_required"]
        assert paths({"security": {"api_key_required": True}}, host=host) == []


@pytest.mark.parametrize(
    ("tree", "path", "refusing"),
    [
        ({"redis": {"cluster": {"hosts": ["a:1"]}}}, "redis.cluster", set(Role)),
        ({"recognition": {"collect_labels": True}}, "recognition.collect_labels", {Role.WORKER}),
        ({"gateway": {"processes": 2}}, "gateway.processes", {Role.GATEWAY}),
        ({"compatibility": {"enabled": True}}, "compatibility.enabled", {Role.GATEWAY}),
    ],
)
def test_a_setting_without_its_engine_stops_the_roles_that_need_it(
    tree: dict[str, Any], path: str, refusing: set[Role]
) -> None:
    configuration = Configuration.model_validate(tree)
    found = {role: [problem.path for problem in unbuilt_settings(configuration, role)] for role in Role}
    assert found == {role: [path] if role in refusing else [] for role in Role}


def test_a_worker_needs_to_know_where_its_browsers_are() -> None:
    tree = {"browser": {"backend": "cdp"}}
    assert paths(tree, Role.WORKER) == ["browser.urls"]
    assert paths(tree, Role.GATEWAY) == []


@pytest.mark.parametrize("role", Role)
def test_the_specifications_file_asks_for_nothing_that_is_not_built(role: Role) -> None:
    assert unbuilt_settings(Configuration.model_validate_json(specified_files.DISTRIBUTED), role) == ()
