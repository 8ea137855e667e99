"""Decides whether a role may start with a configuration: rules of production, what is missing or not built yet."""

import shutil
import socket
from collections.abc import Callable, Iterator

from captchad.config.browser_choice import choose_browser, find_browser_problems
from captchad.config.certificates import find_certificate_faults
from captchad.config.redis_choice import choose_redis_or_local
from captchad.config.server_certificate import find_server_certificate_faults
from captchad.config.settings import Configuration
from captchad.domain.callback import read_secret
from captchad.domain.errors import ConfigurationProblem
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST
from captchad.domain.recognition import WIDE_MODEL
from captchad.domain.target import is_loopback_host


def find_refusals(
    configuration: Configuration, role: Role, bind_host: str = LOOPBACK_HOST
) -> tuple[ConfigurationProblem, ...]:
    """Return everything for which `role` refuses to start, bound to `bind_host`, with a valid configuration."""
    return (
        *check_start_rules(configuration, role, bind_host),
        *unbuilt_settings(configuration, role),
        *find_missing_files(configuration, role),
        *find_foreign_addresses(configuration, role),
    )


def check_start_rules(
    configuration: Configuration, role: Role, bind_host: str = LOOPBACK_HOST
) -> tuple[ConfigurationProblem, ...]:
    """Return which rules of production and of listening `role` would break, bound to `bind_host`."""
    problems = []
    has_keys = configuration.security.api_key_required
    if configuration.environment == "prod" and not has_keys:
        problems.append(
            ConfigurationProblem(
                "security.api_key_required",
                f"the {role} does not start in production without API keys; set it to true",
            )
        )
    elif not has_keys and not is_loopback_host(bind_host):
        problems.append(
            ConfigurationProblem(
                "security.api_key_required",
                f"the {role} does not listen on {bind_host} without API keys; set it to true, or bind {LOOPBACK_HOST}",
            )
        )
    redis = choose_redis_or_local(configuration.redis)
    if configuration.environment == "prod" and not redis.password and not redis.is_local:
        problems.append(
            ConfigurationProblem(
                "redis",
                f"the {role} does not start in production with a Redis without a password off this machine "
                f"({redis.describe()}); set REDIS_PASSWORD or redis.master.password",
            )
        )
    if role is Role.WORKER:
        problems += find_browser_problems(configuration)
    problems += _find_missing_learner(configuration, role)
    problems += _find_callback_faults(configuration, role)
    return tuple(problems)


def _find_missing_learner(configuration: Configuration, role: Role) -> Iterator[ConfigurationProblem]:
    recognition = configuration.recognition
    is_collecting = any(recognition.collects(target) for target in configuration.security.declared_targets())
    is_meant = is_collecting and configuration.deployment_mode == "multi" and recognition.learner is None
    if is_meant and role in (Role.WORKER, Role.SCHEDULER):
        message = "is required where labels are collected on several hosts: the name of the one that keeps them"
        yield ConfigurationProblem("recognition.learner", message)


def _find_callback_faults(configuration: Configuration, role: Role) -> Iterator[ConfigurationProblem]:
    security = configuration.security
    if not security.callback_hosts or role not in (Role.GATEWAY, Role.SCHEDULER):
        return
    if security.callback_secret is None:
        message = "is required where security.callback_hosts names any: callbacks are signed with it"
        yield ConfigurationProblem("security.callback_secret", message)
        return
    try:
        read_secret(security.callback_secret.get_secret_value())
    except ValueError as error:
        yield ConfigurationProblem("security.callback_secret", str(error))


def unbuilt_settings(configuration: Configuration, role: Role) -> tuple[ConfigurationProblem, ...]:
    """Return the settings of `role` that this release does not implement, each with a way around it."""
    return tuple(
        ConfigurationProblem(path, message)
        for path, roles, is_set, message in _UNBUILT
        if role in roles and is_set(configuration)
    )


def find_missing_files(configuration: Configuration, role: Role) -> Iterator[ConfigurationProblem]:
    """Return the settings of `role` that name a file this process can't read, or a program that is none."""
    tls = configuration.redis.tls
    if tls.enabled:
        for name in ("ca_file", "certificate_file", "key_file"):
            yield from _check_file(f"redis.tls.{name}", getattr(tls, name))
    yield from _find_server_certificate_faults(configuration, role)
    if role is not Role.WORKER:
        return
    for host, path in configuration.recognition.models.items():
        if path != WIDE_MODEL:
            yield from _check_file(f"recognition.models.{host}", path)
    for index, target in enumerate(configuration.security.declared_targets()):
        for name, message in find_certificate_faults(target):
            yield ConfigurationProblem(f"security.targets[{index}].{name}", message)
    executable = configuration.browser.executable
    if choose_browser(configuration).backend == "launch" and executable and shutil.which(executable) is None:
        yield ConfigurationProblem("browser.executable", f"{executable} is no program on this machine")


def _find_server_certificate_faults(configuration: Configuration, role: Role) -> Iterator[ConfigurationProblem]:
    section = configuration.tls_sections.get(role)
    if section is not None:
        for name, message in find_server_certificate_faults(section):
            yield ConfigurationProblem(f"{role}.tls.{name}", message)


def find_foreign_addresses(configuration: Configuration, role: Role) -> Iterator[ConfigurationProblem]:
    """Return the settings of `role` that name an address to listen on which this machine does not have."""
    host = configuration.browser.proxy_host
    if role is not Role.WORKER or host is None:
        return
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        yield ConfigurationProblem("browser.proxy_host", f"this machine can't listen on {host}: {reason}")


def _check_file(setting: str, path: str | None) -> Iterator[ConfigurationProblem]:
    if path is None:
        return
    try:
        with open(path, "rb"):  # noqa: PTH123 - a path of pathlib would take an empty one for this folder
            return
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        yield ConfigurationProblem(setting, f"{path or 'an empty path'} can't be read: {reason}")


_EVERY_ROLE = frozenset(Role)
_WORKER = frozenset({Role.WORKER})
_GATEWAY = frozenset({Role.GATEWAY})

_UNBUILT: tuple[tuple[str, frozenset[Role], Callable[[Configuration], bool], str], ...] = (
    (
        "redis.cluster",
        _EVERY_ROLE,
        lambda c: c.redis.cluster is not None,
        "Redis Cluster is not built yet; remove it and use redis.url, redis.sentinel or redis.master",
    ),
    (
        "gateway.processes",
        _GATEWAY,
        lambda c: c.gateway.processes > 1,
        "more than one process is not built yet; set it to 1 and start further gateways on other ports",
    ),
)
"""(setting, roles it concerns, whether it is set, what to do instead)."""
