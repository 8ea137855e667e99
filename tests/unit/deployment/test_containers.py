"""The compose file and the Containerfile keep what docs/containers.md promises, and captchad accepts their settings."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from captchad.config.loader import load_configuration
from captchad.config.settings import WorkerSection
from captchad.config.start_rules import find_refusals
from captchad.deployment.examples import EXAMPLES
from captchad.domain.node import Role
from captchad.domain.ports import ROLE_PORTS

FOLDER = Path(__file__).parents[3] / "config" / "containers"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CONTAINERFILE = (FOLDER / "Containerfile").read_text()


def read_secrets() -> dict[str, str]:
    lines = (FOLDER / "captchad.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_each_role_is_a_service_beside_redis() -> None:
    assert SERVICES.keys() == {"redis", *Role}
    for role in Role:
        assert SERVICES[role]["command"] == [f"--role={role}", "--host=0.0.0.0"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert set(service["deploy"]["resources"]) == {"limits", "reservations"}


def test_only_the_workers_leave_the_usual_list_of_system_calls() -> None:
    assert [name for name, one in SERVICES.items() if "seccomp=unconfined" in one["security_opt"]] == ["worker"]


@pytest.mark.parametrize("role", Role)
def test_a_role_is_healthy_when_its_own_port_says_it_is_ready(role: Role) -> None:
    kind, *command = SERVICES[role]["healthcheck"]["test"]
    assert (kind, command[:2]) == ("CMD", ["python", "-c"])
    assert f"http://127.0.0.1:{ROLE_PORTS[role]}/readyz" in command[2]


def test_a_worker_has_the_limits_of_the_guide_and_the_time_to_drain() -> None:
    worker = SERVICES["worker"]
    assert worker["deploy"]["resources"] == {
        "limits": {"cpus": "2.0", "memory": "4G"},
        "reservations": {"cpus": "1.0", "memory": "2G"},
    }
    assert int(worker["stop_grace_period"].removesuffix("s")) > WorkerSection().drain_seconds
    assert worker["shm_size"] == "256m"


def test_what_is_shown_is_shown_to_this_host_alone() -> None:
    assert SERVICES["gateway"]["ports"] == ["127.0.0.1:8080:8080"]
    assert SERVICES["monitor"]["ports"] == ["127.0.0.1:9090:9090"]
    assert not any("ports" in one for name, one in SERVICES.items() if name not in {"gateway", "monitor"})
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["redis"]["networks"] == ["inside"]


@pytest.mark.parametrize("role", Role)
def test_each_role_starts_with_these_settings_and_a_first_configuration(role: Role) -> None:
    given = {name: str(value) for name, value in SERVICES[role]["environment"].items()} | read_secrets()
    environment = {name: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value) for name, value in given.items()}
    production = FOLDER.parent / EXAMPLES["production"].file
    loaded = load_configuration(str(production), environment)
    # The example's target may have ended; the names of variables must not be misspelt.
    assert [one for one in loaded.warnings if not one.path.endswith(".expires")] == []
    assert find_refusals(loaded.configuration, role, "0.0.0.0") == ()
    assert loaded.configuration.environment == "prod"
    assert not loaded.configuration.redis.tls.enabled
    assert loaded.configuration.redis.url is not None
    url = loaded.configuration.redis.url.get_secret_value()
    assert url == f"redis://:{read_secrets()['REDIS_PASSWORD']}@redis:6379/0"


def test_no_password_stands_on_a_command_line() -> None:
    (script,) = SERVICES["redis"]["command"]
    # For a shell in the container, not for compose: a doubled dollar sign.
    assert re.findall(r"\$+REDIS_PASSWORD", script) == ["$$REDIS_PASSWORD"]
    assert "exec redis-server /run/redis/redis.conf" in script
    assert "requirepass" not in script.partition("exec ")[2]


def test_the_image_has_no_root_and_a_process_that_reaps() -> None:
    assert "\nUSER 10001:10001\n" in CONTAINERFILE
    assert CONTAINERFILE.index("USER 10001") > CONTAINERFILE.rindex("RUN ")
    assert 'ENTRYPOINT ["tini", "--", "captchad"]' in CONTAINERFILE
    assert '"${wheel}[worker]"' in CONTAINERFILE


def test_the_driver_of_the_browser_finds_its_library() -> None:
    packages = CONTAINERFILE.partition("apt-get install")[2].partition("&& rm")[0].split()
    assert {"chromium-headless-shell", "libatomic1", "tini", "ca-certificates"} <= set(packages)
