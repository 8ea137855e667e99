"""Decides whether a role may start with a configuration: the rules of production, and what is not built yet."""

from collections.abc import Callable

from captchad.config.browser_choice import find_browser_problems
from captchad.config.redis_choice import choose_redis_or_local
from captchad.config.settings import Configuration
from captchad.domain.errors import ConfigurationProblem
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST
from captchad.domain.target import is_loopback_host


def check_start_rules(
    configuration: Configuration, role: Role, bind_host: str = LOOPBACK_HOST
) -> tuple[ConfigurationProblem, ...]:
    """Return the reasons why `role` must not start, bound to `bind_host`, with a valid configuration."""
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
    return tuple(problems)


def unbuilt_settings(configuration: Configuration, role: Role) -> tuple[ConfigurationProblem, ...]:
    """Return the settings of `role` that this release does not implement, each with a way around it."""
    return tuple(
        ConfigurationProblem(path, message)
        for path, roles, is_set, message in _UNBUILT
        if role in roles and is_set(configuration)
    )


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
        "recognition.collect_labels",
        _WORKER,
        lambda c: c.recognition.collect_labels,
        "collecting labels is not built yet; set it to false",
    ),
    (
        "gateway.processes",
        _GATEWAY,
        lambda c: c.gateway.processes > 1,
        "more than one process is not built yet; set it to 1 and start further gateways on other ports",
    ),
    (
        "compatibility.enabled",
        _GATEWAY,
        lambda c: c.compatibility.enabled,
        "routes of other services are not built yet; set it to false",
    ),
)
"""(setting, roles it concerns, whether it is set, what to do instead)."""
