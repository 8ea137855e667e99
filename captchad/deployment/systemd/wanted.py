"""What a host is to run, and what is found on it: all that a plan is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from captchad.domain.node import Role

Environment = Literal["dev", "prod"]
Mode = Literal["single", "multi"]
ALL_ROLES = tuple(Role)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Random texts for a host that has none yet."""

    redis_password: str = field(repr=False)
    joining_password: str = field(repr=False)
    session_key: str = field(repr=False)
    node_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """The captchad to install: its folder's name, a digest of all its files, and the program of captchad-redis."""

    name: str
    digest: str
    redis_program: str


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority of this host's own, and what captchad-redis shows by it; all PEM."""

    authority: str
    authority_key: str = field(repr=False)
    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where captchad-redis listens for other hosts: an address of this one, and the networks that reach it.

    `rights` are the words of Redis's ACL that say what those hosts may do there.
    """

    address: str
    networks: tuple[str, ...]
    certificates: Certificates
    rights: str


@dataclass(frozen=True, slots=True)
class Joining:
    """The Redis of other hosts that this one is to use.

    `redis` is the section of the configuration that names it, with its passwords; `authority` is PEM, empty for those
    that the system trusts; `configuration` the text that a host without one begins with, empty for a fresh one.
    """

    redis: Mapping[str, Any] = field(repr=False)
    authority: str
    session_key: str = field(repr=False)
    configuration: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The host as it is to be.

    `has_own_redis` is false where the configuration names another server; `units` are the shipped files by name;
    `joins` says that it uses the Redis of other hosts by `--join`; `joining` is there only for the deploy that joins:
    later ones go on from the secrets that it has written.
    """

    environment: Environment
    mode: Mode
    workers: int
    browser_nodes: int
    release: Release
    fresh: Secrets
    units: Mapping[str, str]
    has_own_redis: bool = True
    roles: tuple[Role, ...] = ALL_ROLES
    listening: Listening | None = None
    joining: Joining | None = None
    joins: bool = False


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file's text and permissions; `text` is None where it is not to be read, or no text."""

    text: str | None = field(repr=False)
    mode: int


@dataclass(frozen=True, slots=True)
class Found:
    """The host as it is, as far as captchad is concerned.

    `installed` maps the releases under /opt/captchad that are whole to their digests; `needs_reload` says that systemd
    has not read all unit files; `enabled` and `active` are units of captchad.
    """

    files: Mapping[str, FoundFile] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    installed: Mapping[str, str] = field(default_factory=dict)
    needs_reload: bool = False
    enabled: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
