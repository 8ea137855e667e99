"""The files under /etc/captchad that a deployment writes where there are none."""

import json
import textwrap
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, get_args

from captchad.config.settings import WORKER_NODES_LIMIT
from captchad.deployment.systemd.json_objects import read_object
from captchad.deployment.systemd.layout import DEPLOYMENT, FIRST_BROWSER_PORT, JOIN, REDIS_SOCKET, SECRETS
from captchad.deployment.systemd.wanted import Environment, Found, Listening, Mode, Wanted
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, REDIS_PORT, show_host

NO_TARGETS: tuple[str, ...] = ()
BROWSER = "browser"
JOINING_USER = "captchad"
BROWSER_NODES_LIMIT = 64
SHOWN_VALUE_LENGTH = 80
DECIDED = {"environment": "environment", "mode": "deployment_mode", "workers": "worker_nodes_count"}
"""What of a request goes before a setting of the configuration: the units are told it."""


def _is_count(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_read_by(read: Callable[[str], Any], value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        read(value)
    except ValueError:
        return False
    return True


_RIGHT: dict[str, Callable[[Any], bool]] = {
    "environment": lambda value: value in get_args(Environment),
    "mode": lambda value: value in get_args(Mode),
    "workers": lambda value: _is_count(value, 1, WORKER_NODES_LIMIT),
    "browser_nodes": lambda value: _is_count(value, 0, BROWSER_NODES_LIMIT),
    "roles": lambda value: _is_list_of_texts(value) and bool(value) and set(value) <= set(Role),
    "listen": lambda value: value is None or _is_read_by(ip_address, value),
    "networks": lambda value: (
        value is None or (_is_list_of_texts(value) and all(_is_read_by(ip_network, one) for one in value))
    ),
    "joins": lambda value: value is True,
}
"""What each member of a request may be."""


def configuration_text(wanted: Wanted) -> str:
    """Return a first configuration; nothing is in scope until somebody declares it."""
    if wanted.joining is not None and wanted.joining.configuration:
        return wanted.joining.configuration
    tree = {
        "environment": wanted.environment,
        # What is the default anyway would only contradict a later `deploy --listen`.
        **({"deployment_mode": wanted.mode} if wanted.mode != "single" else {}),
        "security": {
            "api_key_required": wanted.environment == "prod",
            "targets": NO_TARGETS,
        },
    }
    head = "// captchad's configuration; secrets are beside it. check it after a change,\n"
    return f"{head}// then `captchad deploy`, which restarts what it concerns.\n{json.dumps(tree, indent=2)}\n"


def secrets_tree(wanted: Wanted, found_text: str | None) -> dict[str, Any]:
    """Return the secrets that are there, with fresh ones where some are missing, and the places of the browsers."""
    tree = read_secrets(found_text)
    security = tree.setdefault("security", {})
    if wanted.joining is not None:
        security["session_key"] = wanted.joining.session_key
        tree["redis"] = dict(wanted.joining.redis)
    security.setdefault("session_key", wanted.fresh.session_key)
    if wanted.has_own_redis:
        password = read_redis_password(tree) or wanted.fresh.redis_password
        tree["redis"] = {**tree.get("redis", {}), "url": f"unix://:{password}@{REDIS_SOCKET}"}
    browser = tree.pop(BROWSER, {})
    secret = browser.get("node_secret", wanted.fresh.node_secret)
    if wanted.browser_nodes:
        ports = range(FIRST_BROWSER_PORT, FIRST_BROWSER_PORT + wanted.browser_nodes)
        urls = [f"ws://{LOOPBACK_HOST}:{port}/{secret}" for port in ports]
        tree[BROWSER] = {"backend": "playwright", "node_secret": secret, "urls": urls}
    else:
        tree[BROWSER] = {"node_secret": secret}
    return tree


def read_secrets(found_text: str | None) -> dict[str, Any]:
    """Return the secrets that are there, each section an object; DeploymentFailed where one is not."""
    tree = read_object(SECRETS, found_text) if found_text is not None else {}
    for name in ("security", "redis", BROWSER):
        if not isinstance(tree.get(name, {}), dict):
            raise DeploymentFailed(f"{SECRETS}: {name} must be a JSON object; correct it")
    return tree


def read_redis_password(tree: Mapping[str, Any]) -> str:
    """Return the password in a URL that a deployment has written; empty where there is none."""
    url = str(tree.get("redis", {}).get("url", ""))
    return url.removeprefix("unix://:").partition("@")[0] if url.startswith("unix://:") else ""


def request_text(wanted: Wanted) -> str:
    """Return what was asked for, to go on from."""
    tree: dict[str, Any] = {
        "environment": wanted.environment,
        "mode": wanted.mode,
        "workers": wanted.workers,
        "browser_nodes": wanted.browser_nodes,
        "roles": wanted.roles,
    }
    if wanted.listening is not None:
        tree |= {"listen": wanted.listening.address, "networks": wanted.listening.networks}
    if wanted.joins:
        tree["joins"] = True
    return json.dumps(tree, indent=2) + "\n"


def read_request(found: Found) -> dict[str, Any]:
    """Return what was asked for last, empty where nothing was; DeploymentFailed where it can't have been asked for."""
    file = found.files.get(DEPLOYMENT)
    tree = read_object(DEPLOYMENT, file.text) if file is not None and file.text is not None else {}
    for name, is_right in _RIGHT.items():
        if name in tree and not is_right(tree[name]):
            shown = textwrap.shorten(json.dumps(tree[name]), SHOWN_VALUE_LENGTH)
            raise DeploymentFailed(f"{DEPLOYMENT}: {name} can't be {shown}; correct it, or delete the file")
    return tree


def join_text(
    wanted: Wanted, listening: Listening, secrets: Mapping[str, Any], configuration: str, password: str
) -> str:
    """Return all that another host needs to join this one."""
    tree = {
        "url": f"rediss://{JOINING_USER}@{show_host(listening.address)}:{REDIS_PORT}",
        "password": password,
        "session_key": secrets["security"]["session_key"],
        "environment": wanted.environment,
        "ca": listening.certificates.authority,
        "configuration": configuration,
    }
    return json.dumps(tree, indent=2) + "\n"


def read_joining_password(found_text: str | None, wanted: Wanted) -> str:
    """Return the password that other hosts have been given; a fresh one where none has been yet."""
    password = read_object(JOIN, found_text).get("password") if found_text is not None else None
    return str(password or wanted.fresh.joining_password)


def redis_text(secrets: Mapping[str, Any], listening: Listening | None, joining_password: str) -> str:
    """Return the configuration of captchad-redis: every answer is on the disk first.

    It is on its socket alone, unless it listens for other hosts too; their user may do no more than captchad needs.
    """
    lines = {
        "port": "0",
        "unixsocket": REDIS_SOCKET,
        # Any user of this host reaches the socket; the password says who may do anything there.
        "unixsocketperm": "777",
        "requirepass": read_redis_password(secrets),
        "dir": "/var/lib/captchad-redis",
        "save": '""',
        "appendonly": "yes",
        "appendfsync": "always",
        # Plain commands instead of a snapshot: any server from 7 on reads them, whichever one is found next time.
        "aof-use-rdb-preamble": "no",
        "auto-aof-rewrite-min-size": "16mb",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    if listening is not None:
        lines |= {
            "bind": listening.address,
            "tls-port": str(REDIS_PORT),
            "tls-auth-clients": "no",
            "user": f"{JOINING_USER} on >{joining_password} {listening.rights}",
        }
    return "".join(f"{name} {value}\n" for name, value in lines.items())
