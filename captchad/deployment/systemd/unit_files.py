"""The unit files of a deployment: the shipped ones it needs, and what it adds to each."""

from collections.abc import Iterator

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.limits import other_limits, redis_limits, slice_text, worker_limits
from captchad.deployment.systemd.wanted import Listening, Wanted
from captchad.domain.node import Role

_LOCAL_ALONE = ("IPAddressDeny=any", "IPAddressAllow=localhost")


def list_services(wanted: Wanted) -> tuple[str, ...]:
    """Return the services to run, in the order in which they start and restart."""
    singles = [layout.role_unit(role) for role in wanted.roles if role is not Role.WORKER]
    # The gateway last of the roles: what it accepts is then worked on at once.
    singles.sort(key=lambda unit: unit == layout.role_unit(Role.GATEWAY))
    workers = range(1, wanted.workers + 1) if Role.WORKER in wanted.roles else ()
    return (
        *((layout.REDIS_UNIT,) if wanted.has_own_redis else ()),
        *_list_browsers(wanted),
        *(layout.worker_unit(number) for number in workers),
        *singles,
    )


def _list_browsers(wanted: Wanted) -> tuple[str, ...]:
    return tuple(layout.browser_unit(number) for number in range(1, wanted.browser_nodes + 1))


def list_sockets(wanted: Wanted) -> tuple[str, ...]:
    """Return the sockets that systemd holds for services, so that their restart drops no connection."""
    return tuple(socket for role, socket in layout.SOCKETS.items() if role in wanted.roles)


def service_of(socket: str) -> str:
    """Return the service that a socket is for."""
    return socket.replace(".socket", ".service")


def list_unit_files(wanted: Wanted) -> dict[str, str]:
    """Return the text of every unit file by its path."""
    units = [*list_services(wanted), *list_sockets(wanted), layout.TARGET]
    if Role.SCHEDULER in wanted.roles:
        units += layout.LEARN_UNITS
    units += layout.BACKUP_UNITS
    templates = dict.fromkeys(map(layout.template_of, units))
    files = {layout.unit_path(name): wanted.units[name] for name in templates}
    files[layout.unit_path(layout.SLICE)] = slice_text(wanted.environment, wanted.workers)
    for name in templates:
        if name.endswith(".service"):
            files[layout.drop_in_path(name)] = _drop_in(wanted, name)
    return files


def _drop_in(wanted: Wanted, name: str) -> str:
    lines = ["# Written by `captchad deploy`; put what you change into a file of your own beside this one."]
    if name == layout.REDIS_UNIT and wanted.listening is not None:
        lines += ["[Unit]", "Wants=network-online.target", "After=network-online.target"]
    if name == layout.WORKER_TEMPLATE and wanted.browser_nodes:
        # A worker ends where none of its browser nodes answers.
        lines += ["[Unit]", f"After={' '.join(_list_browsers(wanted))}"]
    return "\n".join([*lines, "[Service]", *_directives(wanted, name)]) + "\n"


def _directives(wanted: Wanted, name: str) -> Iterator[str]:
    yield f"Slice={layout.SLICE}"
    if name == layout.REDIS_UNIT:
        yield f"LoadCredential=redis.conf:{layout.REDIS_CONFIGURATION}"
        yield from (*redis_limits(wanted.environment), *_LOCAL_ALONE)
        if wanted.listening is not None:
            yield from _listen(wanted.listening)
        return
    yield f"LoadCredential=secrets.json:{layout.SECRETS}"
    yield f"Environment=ENVIRONMENT={wanted.environment} DEPLOYMENT_MODE={wanted.mode}"
    if name in (layout.WORKER_TEMPLATE, layout.BROWSER_TEMPLATE):
        # Pages are anywhere: what a worker may reach is decided by its own proxy.
        yield from worker_limits(wanted.environment)
        return
    if name == layout.role_unit(Role.MONITOR):
        yield f"Environment=WORKER_NODES_COUNT={wanted.workers}"
    if name not in layout.TIMED_UNITS:
        yield from other_limits(wanted.environment)
    if wanted.mode == "single" and wanted.has_own_redis:
        yield from _LOCAL_ALONE
    elif name == layout.BACKUP_UNIT:
        # The unit itself allows this host alone; Redis is elsewhere.
        yield "IPAddressDeny="


def _listen(listening: Listening) -> Iterator[str]:
    """Open captchad-redis to some networks; what it has no use for without them is off in the unit itself."""
    yield f"LoadCredential=redis.crt:{layout.REDIS_CERTIFICATE}"
    yield f"LoadCredential=redis.key:{layout.REDIS_KEY}"
    yield "ExecStart="
    yield f"ExecStart={layout.REDIS_PROGRAM} %d/redis.conf --tls-cert-file %d/redis.crt --tls-key-file %d/redis.key"
    yield "PrivateNetwork=no"
    yield "RestrictAddressFamilies=AF_INET AF_INET6"
    yield f"IPAddressAllow={' '.join(listening.networks)}"
