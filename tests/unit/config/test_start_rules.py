from pathlib import Path
from typing import Any

import pytest

from captchad.config.settings import Configuration
from captchad.config.start_rules import check_start_rules, find_refusals, unbuilt_settings
from captchad.domain.node import Role
from tests.certificates import make_authority
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


@pytest.mark.parametrize("role", [Role.GATEWAY, Role.SCHEDULER])
def test_receivers_need_a_secret_that_signs(role: Role) -> None:
    hosts = {"callback_hosts": ["hooks.example.com"]}
    assert paths({"security": hosts}, role) == ["security.callback_secret"]
    assert paths({"security": hosts | {"callback_secret": "short"}}, role) == ["security.callback_secret"]
    assert paths({"security": hosts | {"callback_secret": "s" * 32}}, role) == []
    assert paths({"security": hosts}, Role.WORKER) == []


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
        ({"gateway": {"processes": 2}}, "gateway.processes", {Role.GATEWAY}),
    ],
)
def test_a_setting_without_its_engine_stops_the_roles_that_need_it(
    tree: dict[str, Any], path: str, refusing: set[Role]
) -> None:
    configuration = Configuration.model_validate(tree)
    found = {role: [problem.path for problem in unbuilt_settings(configuration, role)] for role in Role}
    assert found == {role: [path] if role in refusing else [] for role in Role}


@pytest.mark.parametrize("role", [Role.WORKER, Role.SCHEDULER])
def test_labels_of_several_hosts_need_one_that_keeps_them(role: Role) -> None:
    tree: dict[str, Any] = {"deployment_mode": "multi", "security": {"targets": [{"host": "localhost"}]}}
    collecting = {"collect_labels": True}
    assert paths(tree, role) == []
    assert paths(tree | {"recognition": collecting}, role) == ["recognition.learner"]
    own = {"security": {"targets": [{"host": "localhost", "collect_labels": True}]}}
    assert paths(tree | own, role) == ["recognition.learner"]
    assert paths(tree | {"recognition": collecting | {"learner": "alpha"}}, role) == []
    assert paths(tree | {"recognition": collecting, "deployment_mode": "single"}, role) == []


def test_a_worker_needs_to_know_where_its_browsers_are() -> None:
    tree = {"browser": {"backend": "cdp"}}
    assert paths(tree, Role.WORKER) == ["browser.urls"]
    assert paths(tree, Role.GATEWAY) == []


@pytest.mark.parametrize("role", Role)
def test_the_specifications_file_asks_for_nothing_that_is_not_built(role: Role) -> None:
    assert unbuilt_settings(Configuration.model_validate_json(specified_files.DISTRIBUTED), role) == ()


def refusals(tree: dict[str, Any], role: Role) -> list[str]:
    return [problem.path for problem in find_refusals(Configuration.model_validate(tree), role)]


def test_a_file_that_is_missing_or_a_program_that_is_none_stops_who_needs_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    tls = {"redis": {"tls": {"enabled": True, "ca_file": missing, "certificate_file": missing, "key_file": missing}}}
    for role in Role:
        assert refusals(tls, role) == ["redis.tls.ca_file", "redis.tls.certificate_file", "redis.tls.key_file"]
    of_workers = {
        "recognition": {"models": {"a.example": missing, "b.example": str(tmp_path), "c.example": ""}},
        "browser": {"executable": missing},
    }
    models = [f"recognition.models.{name}.example" for name in "abc"]
    assert refusals(of_workers, Role.WORKER) == [*models, "browser.executable"]
    assert refusals(of_workers, Role.GATEWAY) == []


def declare(**settings: Any) -> dict[str, Any]:
    return {"security": {"targets": [{"host": "localhost", **settings}]}}


def messages(tree: dict[str, Any]) -> dict[str, str]:
    found = find_refusals(Configuration.model_validate(tree), Role.WORKER)
    return {problem.path.removeprefix("security.targets[0]."): problem.message for problem in found}


def test_certificate_files_are_looked_into_by_those_who_use_them(tmp_path: Path) -> None:
    missing, words = tmp_path / "missing.pem", tmp_path / "words.pem"
    words.write_text("no certificate")
    authority = make_authority(tmp_path).path
    alone = tmp_path / "alone.pem"
    alone.write_text(Path(authority).read_text().partition("-----BEGIN PRIVATE KEY")[0])
    tree = declare(certificate_authorities=str(missing), client_certificate=str(missing))
    unreadable = f"{missing} can't be read: no such file or directory"
    assert messages(tree) == {"certificate_authorities": unreadable, "client_certificate": unreadable}
    assert refusals(tree, Role.GATEWAY) == []
    assert messages(declare(certificate_authorities=str(words), client_certificate=str(alone))) == {
        "certificate_authorities": f"{words} has no certificate in PEM form",
        "client_certificate": f"{alone} is not a certificate with its key, unencrypted and in PEM form",
    }
    assert messages(declare(certificate_authorities=str(alone), client_certificate=authority)) == {}


def test_a_certificate_may_be_a_systemd_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Path(make_authority(tmp_path).path)
    tree = declare(client_certificate=f"@credential:{authority.name}")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "LoadCredential=" in messages(tree)["client_certificate"]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert messages(tree) == {}


@pytest.mark.parametrize("backend", ["playwright", "cdp"])
def test_a_browser_that_can_not_be_told_serves_no_target_with_certificates_of_its_own(backend: str) -> None:
    url = {"playwright": "ws://10.0.0.5:3000/secret", "cdp": "http://10.0.0.5:9222"}[backend]
    tree = declare(certificate_pins=["A" * 43 + "="]) | {"browser": {"backend": backend, "urls": [url]}}
    assert refusals(tree, Role.WORKER) == ["security.targets[0]"]
    grid = tree | {"browser": {"backend": "selenium", "urls": ["http://10.0.0.5:4444"]}}
    assert refusals(grid, Role.WORKER) == []


def test_what_is_there_or_is_not_used_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    tree = {
        "redis": {"tls": {"ca_file": "/missing"}},
        "recognition": {"models": {"a.example": str(tmp_path / "model.onnx"), "b.example": "wide"}},
        "browser": {"executable": "/missing", "backend": "cdp", "urls": ["http://127.0.0.1:9222"]},
    }
    assert refusals(tree, Role.WORKER) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_a_worker_listens_on_addresses_of_its_own_machine_alone(host: str) -> None:
    assert refusals({"browser": {"proxy_host": host}}, Role.WORKER) == ["browser.proxy_host"]
    assert refusals({"browser": {"proxy_host": host}}, Role.GATEWAY) == []
    assert refusals({"browser": {"proxy_host": "127.0.0.2"}}, Role.WORKER) == []


def test_everything_that_stops_a_role_is_found_at_once() -> None:
    tree = {"environment": "prod", "redis": {"cluster": {"hosts": ["a:1"]}}, "recognition": {"models": {"a": "/no"}}}
    assert refusals(tree, Role.WORKER) == ["security.api_key_required", "redis.cluster", "recognition.models.a"]
