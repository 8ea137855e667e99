"""What in a valid configuration is allowed but probably a mistake, beside what concerns single targets."""

from collections.abc import Iterator

from captchad.config.browser_choice import choose_browser
from captchad.config.redis_choice import choose_redis_or_local
from captchad.config.settings import Configuration
from captchad.domain.ports import ROLE_PORTS
from captchad.domain.target import is_loopback_host, normalise_host

Doubt = tuple[str, str]
"""A setting's path, and what is doubtful about it."""


def find_doubts(configuration: Configuration) -> Iterator[Doubt]:
    """Return every doubt about a configuration as it will be used."""
    yield from _doubt_single_settings(configuration)
    yield from _doubt_own_ports(configuration)
    yield from _doubt_mixed_schemes(configuration)
    receivers = {receiver.host for receiver in configuration.security.declared_receivers()}
    for text in configuration.security.callback_private_hosts:
        if normalise_host(text) not in receivers:
            yield "security.callback_private_hosts", f"security.callback_hosts does not name {text}"
    hosts = {target.host for target in configuration.security.targets}
    for host in configuration.recognition.models:
        if host not in hosts:
            yield (
                f"recognition.models.{host}",
                f"the model is never used: security.targets declares no {host}",
            )


def _doubt_single_settings(configuration: Configuration) -> Iterator[Doubt]:
    worker, redis = configuration.worker, configuration.redis
    if worker.task_timeout > worker.task_deadline_seconds:
        yield "worker.task_timeout", "is longer than worker.task_deadline_seconds, which ends the task first"
    if (redis.tls.certificate_file is None) != (redis.tls.key_file is None):
        yield "redis.tls", "certificate_file and key_file belong together; one alone is not used"
    if redis.connection_pool_size > redis.max_connections:
        yield (
            "redis.connection_pool_size",
            f"keeps more connections than redis.max_connections allows: {redis.max_connections}",
        )


def _doubt_mixed_schemes(configuration: Configuration) -> Iterator[Doubt]:
    """Doubt that browsers will get through to a role without TLS: what another asks of them holds for all ports."""
    speaking = {role for role in configuration.tls_sections if configuration.find_tls(role) is not None}
    for role, tls in configuration.tls_sections.items():
        others = [other for other in configuration.tls_sections if other not in speaking]
        if role in speaking and others and tls.strict_transport_security_seconds:
            yield (
                f"{role}.tls.strict_transport_security_seconds",
                f"a browser that has seen the {role} will ask the {others[0]} at the same host name for TLS too, which "
                f"it does not speak; set {others[0]}.tls, or this to 0",
            )


def _doubt_own_ports(configuration: Configuration) -> Iterator[Doubt]:
    """Doubt targets on this machine at ports of captchad itself, which no page ever reaches."""
    own = {port: f"the {role}'s usual port" for role, port in ROLE_PORTS.items()}
    own |= {
        port: "Redis's" for host, port in choose_redis_or_local(configuration.redis).hosts if is_loopback_host(host)
    }
    own |= {port: "a browser's" for host, port in choose_browser(configuration).hosts if is_loopback_host(host)}
    for index, target in enumerate(configuration.security.targets):
        for port in target.ports:
            if is_loopback_host(target.host) and port in own:
                yield (
                    f"security.targets[{index}].ports",
                    f"{port} is {own[port]}; captchad's own addresses are closed to every page",
                )
