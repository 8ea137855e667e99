"""Where a deployment keeps what, and what its units are called."""

from captchad.domain.node import Role

CONFIGURATION_FOLDER = "/etc/captchad"
CONFIGURATION = f"{CONFIGURATION_FOLDER}/distributed.json"
SECRETS = f"{CONFIGURATION_FOLDER}/secrets.json"
REDIS_CONFIGURATION = f"{CONFIGURATION_FOLDER}/redis.conf"
ENVIRONMENT_FILE = f"{CONFIGURATION_FOLDER}/captchad.env"
"""Somebody's own: what systemd gives to the units as their environment."""
TLS_FOLDER = f"{CONFIGURATION_FOLDER}/tls"
"""The certificates by which captchad-redis listens for other hosts, and the authority that they are by."""
OWN_AUTHORITY, OWN_AUTHORITY_KEY = f"{TLS_FOLDER}/ca.crt", f"{TLS_FOLDER}/ca.key"
REDIS_CERTIFICATE, REDIS_KEY = f"{TLS_FOLDER}/redis.crt", f"{TLS_FOLDER}/redis.key"
JOIN = f"{CONFIGURATION_FOLDER}/join.json"
"""What another host needs to join this one's Redis."""
AUTHORITY = f"{CONFIGURATION_FOLDER}/ca.crt"
"""On a host that has joined: the authority of the Redis that it uses."""
DEPLOYMENT = f"{CONFIGURATION_FOLDER}/deployment.json"
"""What was asked for last: the next `deploy` and every `scale` go on from it."""
TIMERS = f"{CONFIGURATION_FOLDER}/timers"
"""The timers that `undeploy` has switched off, a line each: the next `deploy` enables them again."""
OWN_FILES = (
    *(DEPLOYMENT, TIMERS, CONFIGURATION, SECRETS, REDIS_CONFIGURATION),
    *(OWN_AUTHORITY, OWN_AUTHORITY_KEY, REDIS_CERTIFICATE, REDIS_KEY, JOIN, AUTHORITY),
)
"""All that `deploy` and `undeploy` write under /etc/captchad."""
UNIT_FOLDER = "/etc/systemd/system"
PROGRAM_FOLDER = "/opt/captchad"
BROWSERS_FOLDER = f"{PROGRAM_FOLDER}/browsers"
CURRENT = f"{PROGRAM_FOLDER}/current"
PREVIOUS = f"{PROGRAM_FOLDER}/previous"
"""The release that ran before, which `upgrade --rollback` goes back to."""
SWITCH = f"{PROGRAM_FOLDER}/switch.json"
"""Says between which releases a switch is under way; there as long as it is."""
STAMP_FOLDER = f"{PROGRAM_FOLDER}/applied"
"""For each unit the digest of what it was last started with: a restart that a broken deploy owes is seen here."""
REDIS_PROGRAM = f"{PROGRAM_FOLDER}/redis-server"
COMMAND = "/usr/local/bin/captchad"
STATE_FOLDERS = ("/var/lib/private/captchad", "/var/lib/private/captchad-redis")
STATE_LINKS = ("/var/lib/captchad", "/var/lib/captchad-redis")
REDIS_SOCKET = "/run/captchad-redis/redis.sock"

DROP_IN = "10-deploy.conf"
TARGET = "captchad.target"
SLICE = "captchad.slice"
REDIS_UNIT = "captchad-redis.service"
LEARN_UNITS = ("captchad-learn.service", "captchad-learn.timer")
BACKUP_UNIT = "captchad-backup.service"
BACKUP_UNITS = (BACKUP_UNIT, "captchad-backup.timer")
TIMED_UNITS = frozenset({*LEARN_UNITS, *BACKUP_UNITS})
"""What runs at its time, and is neither started nor restarted with the services."""
WORKER_TEMPLATE = "captchad-worker@.service"
BROWSER_TEMPLATE = "captchad-browser@.service"
FIRST_BROWSER_PORT = 3000
SOCKETS = {Role.GATEWAY: "captchad-gateway.socket", Role.MONITOR: "captchad-monitor.socket"}

RUN_BY_DEPLOY = frozenset(
    {REDIS_UNIT, WORKER_TEMPLATE, BROWSER_TEMPLATE, *SOCKETS.values()}
    | {f"captchad-{role}.service" for role in Role if role is not Role.WORKER}
)
"""The units, by their file, that a deploy stops where they are no longer wanted; others it leaves alone."""


def role_unit(role: Role) -> str:
    """Return the unit of a role that a host has once."""
    return f"captchad-{role}.service"


def worker_unit(number: int) -> str:
    """Return the unit of one worker."""
    return WORKER_TEMPLATE.replace("@", f"@{number}")


def browser_unit(number: int) -> str:
    """Return the unit of one browser node, counted from 1."""
    return BROWSER_TEMPLATE.replace("@", f"@{FIRST_BROWSER_PORT + number - 1}")


def release_path(release: str) -> str:
    """Return a release's folder."""
    return f"{PROGRAM_FOLDER}/{release}"


def program_path(release: str) -> str:
    """Return a release's command."""
    return f"{release_path(release)}/bin/captchad"


def unit_path(unit: str) -> str:
    """Return where a unit's file lies."""
    return f"{UNIT_FOLDER}/{unit}"


def drop_in_path(unit: str) -> str:
    """Return where what a deployment adds to a unit lies."""
    return f"{UNIT_FOLDER}/{unit}.d/{DROP_IN}"


def stamp_path(unit: str) -> str:
    """Return where a unit's digest lies."""
    return f"{STAMP_FOLDER}/{unit}"


def template_of(unit: str) -> str:
    """Return the file that a unit is made from: its template's, or its own."""
    name, at, rest = unit.partition("@")
    return f"{name}@.{rest.rpartition('.')[2]}" if at else unit
